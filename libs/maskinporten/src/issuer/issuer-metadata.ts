import { isRecord, ownMembers } from '../basics/index.js';
import { checkUrl, type InsecureHosts, type SecurityEvent } from '../http/index.js';

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

/** The parts of an RFC 8414 document that this client uses. */
export interface IssuerMetadata {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly jwksUri?: string;
}

/** A document that is not believed; `event` is set when it looks like an attack rather than a fault. */
export class MetadataRefusal extends Error {
  readonly event: SecurityEvent | undefined;

  constructor(reason: string, event?: SecurityEvent) {
    super(reason);
    this.event = event;
  }
}

/**
 * Reads a metadata document. Maskinporten's lacks members that RFC 8414 requires (`response_types_supported`), so only
 * what is used is checked – and that strictly: the issuer byte for byte (§3.3), endpoints over https at the issuer's
 * own origin. A document that says otherwise would have the signed grant sent to somebody else.
 *
 * @throws MetadataRefusal
 */
export function parseIssuerMetadata(body: Buffer, issuer: string, insecure?: InsecureHosts): IssuerMetadata {
  const document = parseMetadataDocument(body, issuer);
  const { host, origin } = new URL(issuer);
  const tokenEndpoint = document['token_endpoint'];
  const refuse = (why: string): MetadataRefusal => {
    const reason = `has a token_endpoint that ${why}`;
    return new MetadataRefusal(reason, { type: 'metadata-endpoint-refused', host, reason });
  };
  const verdict = checkUrl(tokenEndpoint, insecure);
  if (typeof tokenEndpoint !== 'string') throw new MetadataRefusal('has no token_endpoint');
  if ('reason' in verdict) throw refuse(verdict.reason);
  if (verdict.url.origin !== origin) throw refuse(`is at another origin (${shown(verdict.url.origin)})`);
  if (tokenEndpoint.includes('#')) throw refuse('has a fragment');
  const jwksUri = document['jwks_uri'];
  const jwks = checkUrl(jwksUri, insecure);
  return Object.freeze({
    issuer,
    tokenEndpoint,
    ...(typeof jwksUri === 'string' && 'url' in jwks && jwks.url.origin === origin ? { jwksUri } : {}),
  });
}

/**
 * The members of a metadata document that is this issuer's, byte for byte (RFC 8414 §3.3); they are not checked yet.
 *
 * @throws MetadataRefusal
 */
export function parseMetadataDocument(body: Buffer, issuer: string): Readonly<Record<string, unknown>> {
  const document = parseObject(body);
  if (document['issuer'] === issuer) return document;
  const reason = `names another issuer (${shown(document['issuer'])})`;
  throw new MetadataRefusal(reason, { type: 'metadata-issuer-mismatch', host: new URL(issuer).host, reason });
}

function parseObject(body: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new MetadataRefusal('is not JSON');
  }
  if (!isRecord(value)) {
    throw new MetadataRefusal('is not a JSON object');
  }
  return ownMembers({ ...value });
}

/** Foreign text on its way into a log line: visible ASCII, short. */
function shown(value: unknown): string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,100}$/.test(value) && !value.includes('@') ? value : 'not shown';
}
