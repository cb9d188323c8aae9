import { isConfidential, type InsecureHosts } from '../http/index.js';

/**
 * Somewhere a token may be sent: an origin (scheme, host and port), or an origin with the start of a path.
 *
 * @example const destinations: Destination[] = ['https://api.example.no', { origin: 'https://felles.example.no', pathPrefix: '/krav/v1' }];
 */
export type Destination = string | { readonly origin: string; readonly pathPrefix?: string };

/** A destination after it was checked. */
export interface CheckedDestination {
  /** As `URL.origin` writes it; with `*` as left-most label for a whole family of hosts. */
  readonly origin: string;
  readonly pathPrefix?: string | undefined;
}

/** A path prefix is compared with the normalised path, so it has to be written in that form. */
const PATH_PREFIX = /^(\/[\w\-.~!$&'()*+,;=:@]+)+\/?$/;

/** Checks one entry of the option `destinations`. Wildcards are for the presets, so entries are exact. */
export function checkDestination(
  destination: unknown,
  insecure?: InsecureHosts,
): CheckedDestination | { readonly reason: string } {
  const entry = typeof destination === 'string' ? { origin: destination } : destination;
  if (!isEntry(entry)) {
    return { reason: "must be an origin such as 'https://api.example.no', or { origin, pathPrefix }" };
  }
  const origin = checkOrigin(entry.origin, insecure);
  if (typeof origin !== 'string') return origin;
  const pathPrefix: unknown = Object.hasOwn(entry, 'pathPrefix') ? Reflect.get(entry, 'pathPrefix') : undefined;
  if (pathPrefix === undefined || pathPrefix === '/') return { origin, pathPrefix: undefined };
  if (typeof pathPrefix !== 'string' || !PATH_PREFIX.test(pathPrefix) || /\/\.{1,2}(\/|$)/.test(pathPrefix)) {
    return { reason: "has a pathPrefix that is not a plain path such as '/krav/v1'" };
  }
  return { origin, pathPrefix: pathPrefix.replace(/\/$/, '') };
}

/** Own members only: a polluted prototype must not add a destination (T-66). */
const isEntry = (value: unknown): value is { readonly origin: string } =>
  typeof value === 'object' &&
  value !== null &&
  Object.hasOwn(value, 'origin') &&
  'origin' in value &&
  typeof value.origin === 'string';

function checkOrigin(text: string, insecure?: InsecureHosts): string | { readonly reason: string } {
  if (/[\s\\]/.test(text) || !URL.canParse(text)) return { reason: 'is not a URL' };
  const url = new URL(text);
  if (!isConfidential(url, insecure)) {
    const also =
      insecure === undefined
        ? '; hosts of http.allowInsecureHosts are listed in the destinations of the client'
        : ', and for the hosts of http.allowInsecureHosts';
    return { reason: `must be https (http is accepted on loopback${also})` };
  }
  if (url.username !== '' || url.password !== '' || text.includes('@'))
    return { reason: 'must not contain a user name' };
  if (url.hostname.includes('*')) return { reason: 'must be an exact origin: wildcards are not accepted' };
  if (url.hostname.endsWith('.')) return { reason: 'must not end with a dot' };
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || /[?#]/.test(text)) {
    return { reason: 'must be an origin without path: use { origin, pathPrefix } to narrow it' };
  }
  return url.origin;
}
