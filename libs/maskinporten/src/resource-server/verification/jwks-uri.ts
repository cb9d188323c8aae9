import { checkUrl } from '../../http/index.js';
import { MetadataRefusal, parseMetadataDocument, type ResolvedIssuer } from '../../issuer/index.js';

/** Why the keys of the issuer could not be had; the text may be logged. */
export class KeysProblem extends Error {}

/**
 * Where an issuer publishes its keys, from its metadata (RFC 8414). The document must be that issuer's, byte for byte
 * (§3.3), and the keys must be at its own origin: who gives the keys decides which tokens are believed. Keys at
 * another origin are named with the option `jwksUri`.
 *
 * @throws KeysProblem
 */
export function readJwksUri(body: Buffer, { issuer, insecureHosts }: ResolvedIssuer): string {
  const { jwks_uri: jwksUri } = documentOf(body, issuer);
  const verdict = checkUrl(jwksUri, insecureHosts);
  if (typeof jwksUri !== 'string') throw new KeysProblem('the metadata of the issuer has no jwks_uri');
  if ('reason' in verdict) throw new KeysProblem(`the jwks_uri of the issuer ${verdict.reason}`);
  if (verdict.url.origin !== new URL(issuer).origin) {
    throw new KeysProblem('the jwks_uri of the issuer is at another origin: set jwksUri if that is right');
  }
  return jwksUri;
}

function documentOf(body: Buffer, issuer: string): Readonly<Record<string, unknown>> {
  try {
    return parseMetadataDocument(body, issuer);
  } catch (error) {
    throw error instanceof MetadataRefusal ? new KeysProblem(`the metadata of the issuer ${error.message}`) : error;
  }
}
