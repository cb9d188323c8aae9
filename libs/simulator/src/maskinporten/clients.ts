import { type KeyObject, X509Certificate, createPublicKey } from 'node:crypto';
import {
  Collection,
  type SimulatorClock,
  flag,
  integer,
  isRecord,
  list,
  oneOf,
  optional,
  organisationNumber,
  record,
  refuse,
  scopeName,
  text,
  withDefault,
} from '../kernel/index.js';

/** A public RSA key as the self-service API takes it (protocol reference §7.3). */
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

export interface ClientInput {
  clientId: string;
  /** Organisation that owns the client. */
  orgno: string;
  /** One to five public keys. A client without keys is a certificate client. */
  jwks?: { keys: ClientJwk[] };
  scopes?: string[];
  /** `access_token_lifetime`, seconds. Default 120. */
  tokenLifetime?: number;
  /** Default true. */
  active?: boolean;
  /** Says that the client signs with enterprise certificates, which then need `trustedRoots`. */
  certificate?: boolean;
  /** PEM certificates at which a chain may end. */
  trustedRoots?: string[];
  /** How long a posted key stays unknown, as the real service takes up to two minutes. Default 0. */
  keyActivationSeconds?: number;
}

export interface RegisteredKey {
  readonly kid: string;
  readonly alg: string;
  /** Seconds since the epoch. */
  readonly postedAt: number;
  readonly expiresAt: number;
  readonly publicKey: KeyObject;
  readonly certificate: X509Certificate | undefined;
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

function readKey(clock: SimulatorClock): (value: unknown, field: string) => RegisteredKey {
  return (value, field) => {
    if (isRecord(value) && ['d', 'p', 'q', 'k'].some((member) => member in value)) {
      refuse(field, 'is a private key; register the public part only');
    }
    const jwk = jwkMembers(value, field);
    const publicKey = createPublicKey({ key: { kty: jwk.kty, n: jwk.n, e: jwk.e }, format: 'jwk' });
    const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
    if (bits < MIN_MODULUS_BITS) refuse(`${field}.n`, `has ${bits} bits; at least ${MIN_MODULUS_BITS} are needed`);
    const postedAt = Math.floor(clock.nowSeconds());
    if (jwk.exp !== undefined && jwk.exp > postedAt + YEAR_SECONDS) {
      refuse(`${field}.exp`, 'must be at most one year ahead');
    }
    return {
      kid: jwk.kid,
      alg: jwk.alg,
      postedAt,
      // An `exp` in the past is taken, so that an expired key can be tried without moving the clock.
      expiresAt: jwk.exp ?? postedAt + YEAR_SECONDS,
      publicKey,
      certificate: jwk.x5c?.[0] === undefined ? undefined : readDer(jwk.x5c[0], publicKey, `${field}.x5c[0]`),
    };
  };
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

const trustedRoot = (value: unknown, field: string): X509Certificate =>
  parseCertificate(text()(value, field)) ?? refuse(field, 'must be a certificate in PEM');

function clientReader(clock: SimulatorClock) {
  const members = record({
    clientId: text(/^[\x21-\x7e]+$/, 'a client id without white space'),
    orgno: organisationNumber,
    jwks: optional(record({ keys: list(readKey(clock)) })),
    scopes: withDefault(list(scopeName), []),
    tokenLifetime: withDefault(integer(2), 120),
    active: withDefault(flag, true),
    certificate: optional(flag),
    trustedRoots: withDefault(list(trustedRoot), []),
    keyActivationSeconds: withDefault(integer(0), 0),
  });
  return (value: unknown, field: string) => {
    const { jwks, ...client } = members(value, field);
    const inside = (name: string): string => (field === '' ? name : `${field}.${name}`);
    const keys = jwks?.keys ?? [];
    if (keys.length > MAX_KEYS) refuse(inside('jwks.keys'), `has ${keys.length} keys; at most ${MAX_KEYS} are allowed`);
    const twice = keys.findIndex(({ kid }, index) => keys.findIndex((other) => other.kid === kid) < index);
    if (twice >= 0) refuse(inside(`jwks.keys[${twice}].kid`), 'is used by another key of the client');
    if (client.certificate === true && client.trustedRoots.length === 0) {
      refuse(inside('trustedRoots'), 'must name the roots that a certificate client may chain to');
    }
    if (client.certificate === false && client.trustedRoots.length > 0) {
      refuse(inside('trustedRoots'), 'is for certificate clients');
    }
    return { ...client, keys };
  };
}

export type Client = ReturnType<ReturnType<typeof clientReader>>;

export const clientCollection = (clock: SimulatorClock): Collection<Client, ClientInput> =>
  new Collection({
    name: 'clients',
    read: clientReader(clock),
    key: ({ clientId }) => clientId,
    view: ({ keys, trustedRoots, ...client }) => ({
      ...client,
      keys: keys.map(({ kid, alg, postedAt, expiresAt }) => ({ kid, alg, postedAt, expiresAt })),
      trustedRoots: trustedRoots.map((root) => ({ subject: root.subject, fingerprint256: root.fingerprint256 })),
    }),
  });
