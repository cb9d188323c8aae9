import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { currentDelegation } from './current-delegation.js';
import { DelegationError } from './delegation-error.js';
import type { VerifiedDelegation } from './verified-delegation.js';

/**
 * The delegation that `@RequireSystemUser` verified: the organisation, who is acted for, the system user.
 *
 * @throws DelegationError (`system_user_misconfigured`) on a handler that has no `@RequireSystemUser`
 * @example
 * list(@CurrentSystemUser() { organisation }: VerifiedDelegation) { return this.claims.of(organisation); }
 */
export const CurrentSystemUser = createParamDecorator((_: unknown, context: ExecutionContext): VerifiedDelegation => {
  const delegation = currentDelegation(context);
  if (delegation !== undefined) return delegation;
  throw new DelegationError('system_user_misconfigured', {
    reason: '@CurrentSystemUser is used on a handler without @RequireSystemUser',
  });
});
