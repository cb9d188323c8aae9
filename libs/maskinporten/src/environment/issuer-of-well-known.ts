const WELL_KNOWN = '/.well-known/oauth-authorization-server';

/**
 * The issuer whose metadata is at `url` (RFC 8414 §3.1), which is what NAIS gives. An issuer without a path is written
 * with its slash, as Maskinporten's is. The path after the well-known part is the RFC's form; before it is OpenID Connect's.
 */
export function issuerOfWellKnown(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { origin, pathname, search, hash } = new URL(url);
  const [before, after] = pathname.split(WELL_KNOWN);
  if (before === undefined || after === undefined || search !== '' || hash !== '') return undefined;
  const path = (after === '' ? before : after).replace(/\/$/, '');
  return `${origin}${path === '' ? '/' : path}`;
}
