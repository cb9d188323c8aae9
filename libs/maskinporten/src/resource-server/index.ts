// The provider's side: who calls an API that Maskinporten protects, and what they may do.
export { ResourceServer } from './verification/resource-server.js';
export type { ResourceServerDependencies } from './verification/resource-server.js';
export type { ResourceServerOptions } from './verification/resource-server-options.js';
export type { KeysState, KeysStatus } from './verification/issuer-keys.js';
export type { Consumer, ConsumerConsent } from './verification/consumer.js';
export type { ConsentRight, InboundSystemUser } from './verification/authorization-details.js';
export { TokenRefusal } from './verification/token-refusal.js';
export type { TokenRefusalCode } from './verification/token-refusal.js';
