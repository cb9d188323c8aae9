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

  /** @throws InboundCallError for every answer but yes */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const requirements = requirementsOf(this.reflector, targetsOf(context));
    // Asked before another guard of ours, for a handler that is nothing of this side.
    if (requirements === undefined) return true;
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

replaceableGuards.add(ResourceServerGuard);
