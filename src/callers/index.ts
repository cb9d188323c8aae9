export { OwnOrganisationGuard } from './api-key-policy.js';
export { BodyKeyMiddleware } from './api-key.guard.js';
export { ApiKeys } from './api-keys.js';
export { knownCaller } from './caller.js';
export type { Caller } from './caller.js';
export { CallersModule } from './callers.module.js';
