import { createPrivateKey, type JsonWebKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { isRecord } from '../basics/index.js';
import { parseCertificate } from './certificate-chain.js';
import { chooseJwk } from './choose-jwk.js';
import { isBase64Byte } from './key-format.js';
import { checkKid } from './key-id.js';
import { KeyFailure } from './key-failure.js';
import { isSigningAlgorithm, type SigningAlgorithm } from './signing-key.js';

export interface PrivateJwk {
  readonly privateKey: KeyObject;
  readonly alg?: SigningAlgorithm;
  readonly kid?: string;
  readonly certificates: readonly X509Certificate[];
}

/** The members that OpenSSL needs besides `n`, `e` and `d` (RFC 7518 §6.3.2); recomputing them is not our business. */
const CRT_MEMBERS = ['p', 'q', 'dp', 'dq', 'qi'] as const;

/**
 * Reads a private RSA JWK, or one of a JWK set: `kid` says which when it holds several.
 *
 * @throws KeyFailure; its text names members, never their values.
 */
export function readPrivateJwk(value: unknown, member: string, kid?: string): PrivateJwk {
  const jwk = oneKey(value, member, kid);
  if (jwk['kty'] === 'oct') {
    throw new KeyFailure(member, 'is a symmetric key (kty oct): Maskinporten takes RSA keys only');
  }
  if (jwk['kty'] !== 'RSA') {
    const kind = jwk['kty'] === 'EC' || jwk['kty'] === 'OKP' ? `of kty ${jwk['kty']}` : 'without a known kty';
    throw new KeyFailure(member, `is a key ${kind}: Maskinporten takes RSA keys only`);
  }
  checkPurpose(jwk, member);
  const alg = jwk['alg'];
  if (alg !== undefined && !isSigningAlgorithm(alg)) {
    throw new KeyFailure(`${member}.alg`, 'is not RS256, RS384 or RS512, the only algorithms Maskinporten takes');
  }
  checkMembers(jwk, member);
  return {
    privateKey: importJwk(jwk, member),
    ...(alg === undefined ? {} : { alg }),
    ...(jwk['kid'] === undefined ? {} : { kid: checkKid(jwk['kid'], `${member}.kid`) }),
    certificates: readX5c(jwk['x5c'], member),
  };
}

function oneKey(value: unknown, member: string, kid: string | undefined): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw new KeyFailure(member, 'is not a JSON object');
  const keys = value['keys'];
  if (keys === undefined) return value;
  if (!Array.isArray(keys)) throw new KeyFailure(member, 'is a JWK set whose keys member is not a list');
  return chooseJwk(keys, kid, member);
}

function checkPurpose(jwk: Readonly<Record<string, unknown>>, member: string): void {
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') {
    throw new KeyFailure(`${member}.use`, 'is not sig: this key is not meant for signing');
  }
  const operations = jwk['key_ops'];
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('sign'))) {
    throw new KeyFailure(`${member}.key_ops`, 'does not include sign: this key is not meant for signing');
  }
}

function checkMembers(jwk: Readonly<Record<string, unknown>>, member: string): void {
  for (const name of ['n', 'e'] as const) {
    if (!isFilled(jwk[name])) throw new KeyFailure(`${member}.${name}`, 'is missing or is not base64url');
  }
  if (jwk['d'] === undefined) throw new KeyFailure(member, 'is a public JWK: the private key is needed to sign');
  if (!isFilled(jwk['d'])) throw new KeyFailure(`${member}.d`, 'is not base64url');
  const missing = CRT_MEMBERS.filter((name) => !isFilled(jwk[name]));
  if (missing.length > 0) throw new KeyFailure(member, `lacks the CRT members ${missing.join(', ')}`);
  if (jwk['oth'] !== undefined) throw new KeyFailure(`${member}.oth`, 'is not supported: use a key of two primes');
}

/** A copy with only the members of a key: what else the object holds is not handed to OpenSSL. */
function importJwk(jwk: Readonly<Record<string, unknown>>, member: string): KeyObject {
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

/** Not a regular expression: those keep the last text they saw, for ever. */
function isFilled(value: unknown): value is string {
  if (typeof value !== 'string' || value === '') return false;
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code === 0x3d || code === 0x2b || code === 0x2f || !isBase64Byte(code)) return false;
  }
  return true;
}
