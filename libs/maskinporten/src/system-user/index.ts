// May this caller act, has the customer approved it, and does that cover this: three questions before a handler runs.
export { RequireSystemUser } from './require-system-user.decorator.js';
export { fromBody, fromParam } from '../handlers/index.js';
export type { ValueSource } from '../handlers/index.js';
export type { SystemUserRequirement } from './requirement.js';
export { CurrentSystemUser } from './current-system-user.decorator.js';
export { VerifiedDelegation } from './verified-delegation.js';
export { SystemUserGuard } from './system-user.guard.js';
export { CallerPolicy } from './caller-policy.js';
export type { DelegatedAction } from './caller-policy.js';
export { SystemUserService } from './system-user.service.js';
export type {
  RightQuery,
  SystemUserQuery,
  SystemUserRequestInput,
  SystemUserServiceOptions,
} from './system-user.service.js';
export { InjectSystemUsers, getSystemUserServiceToken } from './inject-system-users.js';
export { DelegationError, isDelegationError } from './delegation-error.js';
export type { DelegationProblem } from './delegation-error.js';
export type { SystemUserClient } from './system-user-client.js';
export { DelegationGate } from './delegation-gate.js';
export { SystemUserCheck } from './system-user-check.js';
