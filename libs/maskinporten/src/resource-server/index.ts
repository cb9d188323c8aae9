// The provider's side: who calls an API that Maskinporten protects, and what they may do.
export { MaskinportenResourceServerModule } from './nest/maskinporten-resource-server.module.js';
export type {
  MaskinportenResourceServerAsyncOptions,
  MaskinportenResourceServerOptionsFactory,
} from './nest/maskinporten-resource-server.module.js';
export type { ResourceServerOptions } from './verification/resource-server-options.js';
// What a handler requires, and who calls it.
export { RequireAnyScope, RequireConsent, RequireDelegatedRight, RequirePid, RequireScope } from './nest/decorators.js';
export type { ConsentRequirement, RightRequirement } from './nest/requirements.js';
export { fromBody, fromParam } from '../handlers/index.js';
export type { ValueSource } from '../handlers/index.js';
export { CurrentConsumer } from './nest/current-consumer.js';
export { ConsumerPolicy } from './nest/consumer-policy.js';
export { consumerTracker } from './nest/consumer-tracker.js';
export { ResourceServerGuard } from './nest/resource-server.guard.js';
export type { Consumer, ConsumerConsent } from './verification/consumer.js';
export type { ConsentRight, InboundSystemUser } from './verification/authorization-details.js';
// Refusals.
export { InboundCallError, isInboundCallError } from './nest/inbound-error.js';
export type { InboundProblem } from './nest/inbound-error.js';
export { INBOUND_CODES } from './nest/inbound-code.js';
export type { InboundCode, InboundCodeFacts } from './nest/inbound-code.js';
// Without Nest: for gateways, workers and tests.
export { ResourceServer } from './verification/resource-server.js';
export type { ResourceServerDependencies } from './verification/resource-server.js';
export type { KeysState, KeysStatus } from './verification/issuer-keys.js';
export { TokenRefusal } from './verification/token-refusal.js';
export type { TokenRefusalCode } from './verification/token-refusal.js';
