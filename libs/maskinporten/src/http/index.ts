// The way out to the token endpoint and Altinn: strict TLS, limits, a proxy where one is configured.
export { HttpTransport, isStaleSocket } from './http-transport.js';
export type { HttpRequest, HttpResponse, HttpTransportOptions } from './http-transport.js';
export type { TrustedCertificates } from './tls-options.js';
export { checkProxy } from './proxy-settings.js';
export { checkIssuerUrl, checkUrl, isConfidential, isLoopback } from './checked-url.js';
export type { UrlVerdict } from './checked-url.js';
export { insecureHosts } from './insecure-hosts.js';
export type { InsecureHosts } from './insecure-hosts.js';
export type { SecurityEvent, SecurityEventListener } from './http-transport.js';
