// Who is talked to, and what time it is there.
export { ISSUER_PRESETS, environmentOfHost, isEnvironmentName } from './issuer-presets.js';
export type { EnvironmentName, IssuerPreset } from './issuer-presets.js';
export { mixedEnvironments, resolveIssuer } from './resolve-issuer.js';
export type { IssuerOptions, ResolvedIssuer } from './resolve-issuer.js';
export { checkInsecureHosts } from './check-insecure-hosts.js';
export { checkDestination } from './destination.js';
export type { CheckedDestination, Destination } from './destination.js';
export { Issuer } from './issuer.js';
export type { IssuerDependencies, MetadataStatus } from './issuer.js';
export { MetadataRefusal, metadataUrl, parseMetadataDocument } from './issuer-metadata.js';
export type { IssuerMetadata } from './issuer-metadata.js';
export { ServerClock } from './server-clock.js';
export type { ClockState } from './server-clock.js';
