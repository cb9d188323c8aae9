import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { KeyFailure } from './key-failure.js';
import { parseCertificate } from './read-certificates.js';
import { isBase64Byte } from './key-format.js';
import { checkKid } from './key-id.js';
import { isSigningAlgorithm, type SigningAlgorithm } from './signing-algorithm.js';

/** The members of a JWK, as they stand there. */
export type Jwk = Readonly<Record<string, unknown>>;

export interface OpenedKey {
  /** The private key, or the public one when the file holds no more. */
  readonly key: KeyObject;
  readonly kid?: string;
  readonly alg?: SigningAlgorithm;
  /** `x5c` of a JWK. */
  readonly certificates?: readonly X509Certificate[];
}

/** The members that OpenSSL needs besides `n`, `e` and `d` (RFC 7518 §6.3.2); recomputing them is not our business. */
const CRT_MEMBERS = ['p', 'q', 'dp', 'dq', 'qi'] as const;

/**
 * The private RSA key in a JWK, or the public key of any kind in one that holds no more.
 *
 * @throws KeyFailure; its text names members, never their values.
 */
export function openJwk(jwk: Jwk, member: string): OpenedKey {
  const { kty, alg, kid, x5c } = jwk;
  if (jwk['d'] === undefined || kty === 'oct')
    return { key: publicHalf(jwk, member), certificates: readX5c(x5c, member) };
  if (kty !== 'RSA') {
    const kind = kty === 'EC' || kty === 'OKP' ? `of kty ${kty}` : 'without a known kty';
    throw new KeyFailure(member, `is a key ${kind}: Maskinporten takes RSA keys only`, 'algorithm');
  }
  checkPurpose(jwk, member);
  if (alg !== undefined && !isSigningAlgorithm(alg)) {
    const reason = 'is not RS256, RS384 or RS512, the only algorithms Maskinporten takes';
    throw new KeyFailure(`${member}.alg`, reason, 'algorithm');
  }
  checkMembers(jwk, member);
  return {
    key: importJwk(jwk, member),
    ...(alg === undefined ? {} : { alg }),
    ...(kid === undefined ? {} : { kid: checkKid(kid, `${member}.kid`) }),
    certificates: readX5c(x5c, member),
  };
}

/** Public half of a JWK of any asymmetric kind, also when its private half is of no use. */
export function publicHalf(jwk: Jwk, member: string): KeyObject {
  if (jwk['kty'] === 'oct') {
    throw new KeyFailure(member, 'is a symmetric key (kty oct): Maskinporten takes RSA keys only', 'algorithm');
  }
  const key: JsonWebKey = {};
  for (const name of ['kty', 'n', 'e', 'crv', 'x', 'y'] as const) {
    const value = jwk[name];
    if (typeof value === 'string') key[name] = value;
  }
  try {
    return createPublicKey({ key, format: 'jwk' });
  } catch {
    throw new KeyFailure(member, 'is not a JWK that OpenSSL can read: its public members are missing or damaged');
  }
}

function checkPurpose(jwk: Jwk, member: string): void {
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') {
    throw new KeyFailure(`${member}.use`, 'is not sig: this key is not meant for signing', 'not-for-signing');
  }
  const operations = jwk['key_ops'];
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('sign'))) {
    throw new KeyFailure(
      `${member}.key_ops`,
      'does not include sign: this key is not meant for signing',
      'not-for-signing',
    );
  }
}

function checkMembers(jwk: Jwk, member: string): void {
  for (const name of ['n', 'e'] as const) {
    if (!isFilled(jwk[name])) throw new KeyFailure(`${member}.${name}`, 'is missing or is not base64url');
  }
  if (!isFilled(jwk['d'])) throw new KeyFailure(`${member}.d`, 'is not base64url');
  const missing = CRT_MEMBERS.filter((name) => !isFilled(jwk[name]));
  if (missing.length > 0) throw new KeyFailure(member, `lacks the CRT members ${missing.join(', ')}`);
  if (jwk['oth'] !== undefined) throw new KeyFailure(`${member}.oth`, 'is not supported: use a key of two primes');
}

/** A copy with only the members of a key: what else the object holds is not handed to OpenSSL. */
function importJwk(jwk: Jwk, member: string): KeyObject {
  const key: JsonWebKey = { kty: 'RSA' };
  for (const name of ['n', 'e', 'd', ...CRT_MEMBERS] as const) {
    const value = jwk[name];
    if (isFilled(value)) key[name] = value;
  }
  try {
    return createPrivateKey({ key, format: 'jwk' });
  } catch {
    throw new KeyFailure(member, 'is damaged: its members are not an RSA private key');
  }
}

function readX5c(x5c: unknown, member: string): X509Certificate[] {
  if (x5c === undefined) return [];
  const entries: unknown[] = Array.isArray(x5c) ? x5c : [x5c];
  try {
    return entries.map((entry) => {
      if (typeof entry !== 'string') throw new TypeError('not a string');
      return parseCertificate(Buffer.from(entry, 'base64'), member);
    });
  } catch {
    throw new KeyFailure(`${member}.x5c`, 'holds something that is not a certificate');
  }
}

/** Not a regular expression: those keep the last text they saw. */
function isFilled(value: unknown): value is string {
  if (typeof value !== 'string' || value === '') return false;
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code === 0x3d || code === 0x2b || code === 0x2f || !isBase64Byte(code)) return false;
  }
  return true;
}
