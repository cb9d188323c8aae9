import { NO_INSECURE_HOSTS, type InsecureHosts } from './insecure-hosts.js';

/** Why a URL may not be used; never quotes it, because people put credentials into URLs. */
export type UrlVerdict = { readonly url: URL } | { readonly reason: string };

/** Visible ASCII: the URL parser silently drops tabs and line breaks, and reads `\` as `/`. */
const VISIBLE = /^[\x21-\x5b\x5d-\x7e]{1,2048}$/;

/** The parser would also read `https:host` and `https:/host`, which nobody means. */
const AUTHORITY = /^https?:\/\/([^/?#]+)/;

/** An absolute https URL without userinfo; `http:` only on loopback, where nobody can listen in, and to `insecure` hosts. */
export function checkUrl(value: unknown, insecure: InsecureHosts = NO_INSECURE_HOSTS): UrlVerdict {
  if (typeof value !== 'string' || value === '') return { reason: 'must be an absolute URL' };
  if (!VISIBLE.test(value)) return { reason: 'must be a URL of visible ASCII characters, at most 2048' };
  const authority = AUTHORITY.exec(value)?.[1];
  if (authority === undefined) return { reason: 'must start with https://' };
  if (authority.includes('@')) return { reason: 'must not hold a user name or password' };
  if (!URL.canParse(value)) return { reason: 'is not an absolute URL' };
  const url = new URL(value);
  if (!isConfidential(url, insecure)) {
    return { reason: 'must be https: (http: is for loopback, and for the hosts of http.allowInsecureHosts)' };
  }
  return { url };
}

/** As `checkUrl`, and without query and fragment (RFC 8414 §2). */
export function checkIssuerUrl(value: unknown, insecure?: InsecureHosts): UrlVerdict {
  const verdict = checkUrl(value, insecure);
  if ('reason' in verdict || typeof value !== 'string') return verdict;
  if (value.includes('?')) return { reason: 'must not have a query' };
  if (value.includes('#')) return { reason: 'must not have a fragment' };
  return verdict;
}

/** Over TLS, or to a place where going without was allowed. */
export function isConfidential(url: URL, insecure: InsecureHosts = NO_INSECURE_HOSTS): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && (isLoopback(url) || insecure.has(url.hostname)));
}

/** Only names and addresses that cannot leave the machine; `URL` has already written out forms such as `127.1`. */
export function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(url.hostname);
}
