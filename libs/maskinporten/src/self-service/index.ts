// Digdir's self-service API: the keys of a client, published and rotated without a break; and which scopes there are.
export { ClientKeysApi } from './client-keys-api.js';
export type { ClientKeysApiOptions, ClientKeysCallOptions } from './client-keys-api.js';
export type { PublicKeyJwk, RegisteredKey, RegisteredKeySet } from './registered-key.js';
export { planPublish, planRemoval } from './key-set-plan.js';
export type { KeySetPlan, PlannedKey, PublishPlanInput } from './key-set-plan.js';
export { publishKey } from './publish-key.js';
export type { PublishedKey, PublishKeyOptions } from './publish-key.js';
export { proveKey } from './prove-key.js';
export type { ProveKeyOptions } from './prove-key.js';
export { rotateKey } from './rotate-key.js';
export type { RotateKeyOptions, RotationProgress, RotationResult } from './rotate-key.js';
export { listScopes } from './scope-list.js';
export type { ScopeListOptions } from './scope-list.js';
export { ACTIVATION_MS, MAX_KEYS, SELF_SERVICE_SCOPES, SELF_SERVICE_URLS } from './self-service-config.js';
