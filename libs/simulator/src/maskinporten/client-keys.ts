import { type KeyObject, X509Certificate, createHash, createPublicKey } from 'node:crypto';
import {
  type Reader,
  type SimulatorClock,
  integer,
  isRecord,
  list,
  oneOf,
  optional,
  record,
  refuse,
  text,
} from '../kernel/index.js';

/** A public RSA key as the self-service API takes it (Digdir, client keys). */
export interface ClientJwk {
  kty?: string;
  alg?: string;
  use?: string;
  kid?: string;
  n?: string;
  e?: string;
  /** Seconds since the epoch; default and limit: one year after posting. */
  exp?: number;
  /** Locks the key to this certificate. */
  x5c?: string[];
}

export interface RegisteredKey {
  readonly kid: string;
  readonly alg: string;
  /** Seconds since the epoch. */
  readonly postedAt: number;
  readonly expiresAt: number;
  /** The token endpoint does not know the key before this moment, seconds since the epoch. */
  readonly knownFrom: number;
  readonly publicKey: KeyObject;
  readonly certificate: X509Certificate | undefined;
  readonly x5c: readonly string[] | undefined;
}

const YEAR_SECONDS = 365 * 24 * 3600;
export const MAX_KEYS = 5;
export const MIN_MODULUS_BITS = 2048;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

const jwkMembers = record({
  kty: oneOf('RSA'),
  alg: oneOf('RS256', 'RS384', 'RS512'),
  use: oneOf('sig'),
  kid: text(/^[A-Za-z0-9._-]{1,255}$/, 'letters, digits, ".", "_" and "-"'),
  n: text(BASE64URL, 'base64url'),
  e: text(BASE64URL, 'base64url'),
  exp: optional(integer(0)),
  key_ops: optional(list(text())),
  x5c: optional(list(text())),
  'x5t#S256': optional(text()),
  x5t: optional(text()),
});

/** Reads one key as it is registered now. */
export function keyReader(clock: SimulatorClock): Reader<RegisteredKey> {
  return (value, field) => {
    if (isRecord(value) && ['d', 'p', 'q', 'k'].some((member) => member in value)) {
      refuse(field, 'is a private key; register the public part only');
    }
    const jwk = jwkMembers(value, field);
    const publicKey = readPublicKey(jwk, field);
    const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
    if (bits < MIN_MODULUS_BITS) refuse(`${field}.n`, `has ${bits} bits; at least ${MIN_MODULUS_BITS} are needed`);
    const now = clock.nowSeconds();
    const postedAt = Math.floor(now);
    if (jwk.exp !== undefined && jwk.exp > postedAt + YEAR_SECONDS) {
      refuse(`${field}.exp`, 'must be at most one year ahead');
    }
    return {
      kid: jwk.kid,
      alg: jwk.alg,
      postedAt,
      // An `exp` in the past is taken, so that an expired key can be tried without moving the clock.
      expiresAt: jwk.exp ?? postedAt + YEAR_SECONDS,
      knownFrom: now,
      publicKey,
      certificate: jwk.x5c?.[0] === undefined ? undefined : readDer(jwk.x5c[0], publicKey, `${field}.x5c[0]`),
      x5c: jwk.x5c,
    };
  };
}

/** Reads the keys of one client: at most five, each with a `kid` of its own. */
export function keySetReader(clock: SimulatorClock): Reader<readonly RegisteredKey[]> {
  const readKeys = list(keyReader(clock));
  return (value, field) => {
    const keys = readKeys(value, field);
    if (keys.length > MAX_KEYS) refuse(field, `has ${keys.length} keys; at most ${MAX_KEYS} are allowed`);
    const twice = keys.findIndex(({ kid }, index) => keys.findIndex((other) => other.kid === kid) < index);
    if (twice >= 0) refuse(`${field}[${twice}].kid`, 'is used by another key of the client');
    return keys;
  };
}

/** A public key or certificate in PEM as the JWK that self-service would be given. */
export function jwkOfPem(pem: string, kid: string | undefined, field: string): ClientJwk {
  if (/BEGIN [A-Z ]*PRIVATE KEY/.test(pem)) refuse(field, 'is a private key; register the public part only');
  const certificate = pem.includes('BEGIN CERTIFICATE') ? parseCertificate(pem) : undefined;
  const { kty, n, e } = publicKeyOfPem(pem, certificate, field).export({ format: 'jwk' });
  if (kty !== 'RSA' || n === undefined || e === undefined) return refuse(field, 'is not an RSA key');
  // RFC 7638 §3: these members, in this order, without white space.
  const thumbprint = createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url');
  const x5c = certificate === undefined ? {} : { x5c: [certificate.raw.toString('base64')] };
  return { kty, n, e, alg: 'RS256', use: 'sig', kid: kid ?? thumbprint, ...x5c };
}

function publicKeyOfPem(pem: string, certificate: X509Certificate | undefined, field: string): KeyObject {
  if (certificate !== undefined) return certificate.publicKey;
  try {
    return createPublicKey(pem);
  } catch {
    return refuse(field, 'must be a public key or a certificate in PEM');
  }
}

export function knownLater(key: RegisteredKey, seconds: number): RegisteredKey {
  return { ...key, knownFrom: key.knownFrom + seconds };
}

function readPublicKey({ kty, n, e }: { kty: string; n: string; e: string }, field: string): KeyObject {
  try {
    return createPublicKey({ key: { kty, n, e }, format: 'jwk' });
  } catch {
    return refuse(field, 'is not an RSA key');
  }
}

function readDer(base64: string, publicKey: KeyObject, field: string): X509Certificate {
  const certificate = parseCertificate(Buffer.from(base64, 'base64')) ?? refuse(field, 'must be a certificate');
  return certificate.publicKey.equals(publicKey) ? certificate : refuse(field, 'belongs to another key');
}

/** `undefined` when the bytes are no certificate. */
export function parseCertificate(source: Buffer | string): X509Certificate | undefined {
  try {
    return new X509Certificate(source);
  } catch {
    return undefined;
  }
}
