// Who is talked to, over what, and what time it is there.
export { ISSUER_PRESETS, environmentOfHost, isEnvironmentName } from './issuer-presets.js';
export type { EnvironmentName, IssuerPreset } from './issuer-presets.js';
export { mixedEnvironments, resolveIssuer } from './resolve-issuer.js';
export type { IssuerOptions, ResolvedIssuer } from './resolve-issuer.js';
export { metadataUrl } from './metadata-url.js';
export { checkIssuerUrl, checkUrl, isLoopback } from './checked-url.js';
export type { UrlVerdict } from './checked-url.js';
export { Issuer } from './issuer.js';
export type { IssuerDependencies, MetadataStatus } from './issuer.js';
export type { IssuerMetadata } from './issuer-metadata.js';
export { systemClock } from './clock.js';
export type { Clock } from './clock.js';
export { ServerClock } from './server-clock.js';
export type { ClockState } from './server-clock.js';
export { HttpTransport, isStaleSocket } from './http-transport.js';
export type { HttpRequest, HttpResponse, HttpTransportOptions } from './http-transport.js';
export type { SecurityEvent, SecurityEventListener } from './security-event.js';
