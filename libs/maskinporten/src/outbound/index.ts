// Outgoing calls: what token they carry, where they may go, and what is said when they fail.
export { Scopes, MaskinportenScopes } from './scopes.decorator.js';
export type { ScopesArguments } from './scopes.decorator.js';
export { MaskinportenScopesInterceptor } from './scopes.interceptor.js';
export { ScopesCheck } from './scopes-check.js';
export { ScopesMetadata } from './scopes.metadata.js';
export { bindSystemUser, tokenContextOf } from './system-user-binding.js';
export { runVerifiedCall } from './verified-call.js';
export { MaskinportenContext, runInTokenContext } from './maskinporten-context.js';
export type {
  ClientTokenRequest,
  ContextOptions,
  DeclaredContext,
  TokenContext,
  ScopesFunction,
  ScopesInput,
} from './token-context.js';
export { attachMaskinporten } from './attach-maskinporten.js';
export type { CallExtras, CallOptions, InstanceDefaults } from './call-options.js';
export { MaskinportenHttpModule } from './maskinporten-http.module.js';
export type {
  MaskinportenHttpAsyncOptions,
  MaskinportenHttpOptions,
  MaskinportenHttpOptionsFactory,
} from './maskinporten-http.module.js';
export { MaskinportenHttpService } from './maskinporten-http.service.js';
export { maskinportenFetch } from './maskinporten-fetch.js';
export type { FetchDefaults, MaskinportenFetch, MaskinportenFetchInit } from './maskinporten-fetch.js';
export { MaskinportenExceptionFilter } from './maskinporten-exception.filter.js';
export { problemDocument } from './problem-document.js';
export type { MaskinportenProblem } from './problem-document.js';
export { InjectMaskinporten, getMaskinportenToken } from './inject-maskinporten.js';
export { DEFAULT_CLIENT } from './outbound-client.js';
export type { OutboundClient, OutboundTokens } from './outbound-client.js';
export { checkDestination } from '../issuer/index.js';
export type { CheckedDestination, Destination } from '../issuer/index.js';
export { DestinationList } from './destination-list.js';
