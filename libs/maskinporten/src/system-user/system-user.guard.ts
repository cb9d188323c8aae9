import { Inject, Injectable, Optional, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { moduleNotImported } from '../errors/index.js';
import { FIRST_GUARD, replaceableGuards } from '../handlers/index.js';
import { remember, verifiedFor } from './current-delegation.js';
import { DelegationError, isDelegationError } from './delegation-error.js';
import { DelegationGate } from './delegation-gate.js';
import { forCaller } from './denial-answer.js';
import { RequirementMetadata } from './requirement.js';

/** @throws MaskinportenConfigurationError (`MP_CONFIG`) when the module is not in scope: the application does not start */
export function requireGate(gate: DelegationGate | undefined): DelegationGate {
  if (gate !== undefined) return gate;
  throw moduleNotImported('@RequireSystemUser');
}

/**
 * Lets a call through only when everything about its delegation was answered with yes. `@RequireSystemUser` brings it.
 * `overrideGuard(SystemUserGuard)` of a testing module is all that a unit test of a guarded controller needs: nothing is
 * asked then, and `@CurrentSystemUser` is what the decorator says, not verified.
 *
 * @example
 * Test.createTestingModule({ controllers: [ClaimsController], providers: [{ provide: Claims, useValue: claims }] })
 *   .overrideGuard(SystemUserGuard).useValue({ canActivate: () => true })
 */
@Injectable()
export class SystemUserGuard implements CanActivate {
  readonly #gate: DelegationGate;

  constructor(
    private readonly reflector: Reflector,
    @Optional() gate?: DelegationGate,
    @Optional() @Inject(FIRST_GUARD) private readonly first?: CanActivate,
  ) {
    this.#gate = requireGate(gate);
  }

  /** @throws DelegationError for every answer but yes */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    // A caller whose own token is not verified learns nothing about anybody's delegations.
    await this.first?.canActivate(context);
    try {
      const requirement = this.reflector.getAllAndOverride(RequirementMetadata, [
        context.getHandler(),
        context.getClass(),
      ]);
      if (requirement === undefined) {
        throw new DelegationError('system_user_misconfigured', {
          reason: 'SystemUserGuard is used on a handler without @RequireSystemUser',
        });
      }
      // Class and method both decorated: Nest runs this twice, and a value is read from the request once only (T-51).
      if (verifiedFor(context) === undefined) remember(context, await this.#gate.verify(context, requirement));
      return true;
    } catch (error) {
      if (!isDelegationError(error)) throw error;
      this.#gate.report(error);
      throw forCaller(context, error);
    }
  }
}

replaceableGuards.add(SystemUserGuard);
