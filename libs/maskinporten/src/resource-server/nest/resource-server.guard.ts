import { Injectable, Optional, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { configurationError } from '../../errors/index.js';
import { replaceableGuards } from '../../handlers/index.js';
import { remember, verifiedFor } from './current-consumer.js';
import { forCaller } from './inbound-answer.js';
import { isInboundCallError } from './inbound-error.js';
import { InboundGate } from './inbound-gate.js';
import { requirementsOf, targetsOf } from './requirements.js';

/**
 * Lets a call through only when its token is valid and does for what the handler requires. The decorators bring it, and
 * one run does everything in one order: token, scopes, policy, then person, consent and right.
 * `overrideGuard(ResourceServerGuard)` of a testing module is what a unit test of a controller needs.
 */
@Injectable()
export class ResourceServerGuard implements CanActivate {
  readonly #gate: InboundGate;

  constructor(
    private readonly reflector: Reflector,
    @Optional() gate?: InboundGate,
  ) {
    if (gate === undefined) {
      const field = 'MaskinportenResourceServerModule';
      const reason = '@RequireScope is used, but the module is not imported: add forRoot(…) to the root module';
      throw configurationError([{ field, code: 'MP_CONFIG', reason }]);
    }
    this.#gate = gate;
  }

  /**
   * @throws InboundCallError for every answer but yes
   * @throws MaskinportenConfigurationError (`MP_CONFIG`) on a handler without a decorator of ours
   */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const requirements = requirementsOf(this.reflector, targetsOf(context));
    if (requirements === undefined) {
      const reason = 'is used on a handler that requires nothing: add @RequireScope';
      throw configurationError([{ field: 'ResourceServerGuard', code: 'MP_CONFIG', reason }]);
    }
    // Every decorator of a handler and its class brings this guard.
    if (verifiedFor(context) !== undefined) return true;
    try {
      remember(context, await this.#gate.verify(context, requirements));
      return true;
    } catch (error) {
      if (!isInboundCallError(error)) throw error;
      throw forCaller(context, error, [...requirements.all, ...requirements.any]);
    }
  }
}

/** The guard as others of ours ask it first, also for handlers that are nothing of this side. */
export function firstGuard(reflector: Reflector, gate: InboundGate): CanActivate {
  const guard = new ResourceServerGuard(reflector, gate);
  return {
    canActivate: (context) => requirementsOf(reflector, targetsOf(context)) === undefined || guard.canActivate(context),
  };
}

replaceableGuards.add(ResourceServerGuard);
