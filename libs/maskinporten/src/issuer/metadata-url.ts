const WELL_KNOWN = '/.well-known/oauth-authorization-server';

/**
 * Where the metadata of an issuer is (RFC 8414 §3.1): the well-known part goes between host and path, and the slash that
 * ends the issuer is dropped first. The issuer itself is not changed by this.
 *
 * @example metadataUrl('https://test.maskinporten.no/')
 * // 'https://test.maskinporten.no/.well-known/oauth-authorization-server'
 */
export function metadataUrl(issuer: string): string {
  const { origin, pathname } = new URL(issuer);
  return `${origin}${WELL_KNOWN}${pathname.endsWith('/') ? pathname.slice(0, -1) : pathname}`;
}
