// What rooms tell those who only listen: health, telemetry, audit log, the application.
export { RequestContext } from './request-context.js';
export type { RequestContextInit } from './request-context.js';
export { CallObservers } from './call-observers.js';
export type { CallObserver, CallOutcome, OutboundCall } from './call-observers.js';
export { DelegationDecisions } from './delegation-decisions.js';
export type { DecisionListener, DelegationFacts } from './delegation-decisions.js';
export { InboundCalls } from './inbound-calls.js';
export type { InboundCall, InboundCallListener } from './inbound-calls.js';
export { HealthContributors } from './health-contributors.js';
export type { HealthContribution, HealthContributor } from './health-contributors.js';
export {
  DEFAULT_CLIENT,
  ClientRegistry,
  applicationClosed,
  homeOf,
  isClosed,
  unknownClient,
} from './client-registry.js';
export type { RegisteredClient, WatchedTokenService } from './client-registry.js';
// A token service tells about itself.
export type { TokenEvent, TokenServiceStatus } from '../tokens/index.js';
