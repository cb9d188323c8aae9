export { ApiKeys } from './api-keys.js';
export { BodyKeyMiddleware } from './body-key.middleware.js';
export { knownCaller } from './caller.js';
export type { Caller } from './caller.js';
export { CallersModule } from './callers.module.js';
export { OwnOrganisationGuard } from './own-organisation.guard.js';
