export { ApiKeys } from './api-keys.js';
export { CallersModule } from './callers.module.js';
export { OwnOrganisationGuard } from './own-organisation.guard.js';
