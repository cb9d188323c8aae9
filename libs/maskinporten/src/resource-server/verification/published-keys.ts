import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { isRecord, ownMembers } from '../../basics/index.js';
import type { SigningAlgorithm } from './compact-token.js';

/** A key that tokens may be signed with. */
export interface PublishedKey {
  readonly key: KeyObject;
  /** The only algorithm it is for, when the issuer says so. */
  readonly alg?: SigningAlgorithm;
}

/** The keys of one document by their `kid`. Two sets with the same keys have the same fingerprint. */
export interface PublishedKeys {
  readonly byKid: ReadonlyMap<string, PublishedKey>;
  readonly fingerprint: string;
}

interface Jwk {
  readonly kty?: unknown;
  readonly use?: unknown;
  readonly key_ops?: unknown;
  readonly alg?: unknown;
  readonly kid?: unknown;
  readonly n?: unknown;
  readonly e?: unknown;
}

const KID = /^[\x21-\x7e]{1,128}$/;
const ALGORITHMS: ReadonlySet<unknown> = new Set(['RS256', 'RS384', 'RS512']);
/** RFC 7518 §3.3. */
const MIN_BITS = 2048;
/** A signature of a larger one takes so long to check that it would be an attack by itself. */
const MAX_BITS = 8192;

/**
 * Reads a JWK set (RFC 7517 §5) and leaves out every key that nothing may be verified with: symmetric, for encryption,
 * too short, of another algorithm, without `kid`. Of different keys with one `kid` none can be trusted (F-77).
 *
 * @returns undefined when the body is not a set with at least one usable key
 */
export function readPublishedKeys(body: Buffer): PublishedKeys | undefined {
  const byKid = new Map<string, PublishedKey & { readonly print: string }>();
  const ambiguous = new Set<string>();
  for (const jwk of jwksOf(body)) {
    const found = usable(jwk);
    if (found === undefined) continue;
    const { kid, ...key } = found;
    const known = byKid.get(kid);
    if (known !== undefined && known.print !== key.print) ambiguous.add(kid);
    byKid.set(kid, key);
  }
  for (const kid of ambiguous) byKid.delete(kid);
  if (byKid.size === 0) return undefined;
  const prints = [...byKid].map(([kid, { print }]) => JSON.stringify([kid, print])).toSorted();
  return { byKid, fingerprint: createHash('sha256').update(prints.join()).digest('base64url') };
}

function jwksOf(body: Buffer): readonly Jwk[] {
  try {
    const document: unknown = JSON.parse(body.toString('utf8'));
    const keys = isRecord(document) ? ownMembers(document)['keys'] : undefined;
    return Array.isArray(keys) ? keys.filter(isRecord).map((key) => ownMembers<Jwk>(key)) : [];
  } catch {
    return [];
  }
}

function usable(jwk: Jwk): (PublishedKey & { readonly kid: string; readonly print: string }) | undefined {
  const { kty, use = 'sig', key_ops: operations = ['verify'], alg, kid, n, e } = jwk;
  if (kty !== 'RSA' || use !== 'sig' || typeof kid !== 'string' || !KID.test(kid)) return undefined;
  if (!Array.isArray(operations) || !operations.includes('verify')) return undefined;
  if (alg !== undefined && !ALGORITHMS.has(alg)) return undefined;
  if (typeof n !== 'string' || typeof e !== 'string') return undefined;
  const key = rsaKey(n, e);
  if (key === undefined) return undefined;
  return {
    kid,
    key,
    print: JSON.stringify([n, e, alg]),
    ...(alg === undefined ? {} : { alg: alg as SigningAlgorithm }),
  };
}

function rsaKey(n: string, e: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' });
    const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
    const isStrong = modulusLength >= MIN_BITS && modulusLength <= MAX_BITS;
    // With 1 everything verifies, and no RSA key has an even one.
    return isStrong && publicExponent > 1n && publicExponent % 2n === 1n ? key : undefined;
  } catch {
    return undefined;
  }
}
