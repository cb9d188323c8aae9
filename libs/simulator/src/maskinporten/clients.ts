import type { X509Certificate } from 'node:crypto';
import {
  Collection,
  type SimulatorClock,
  flag,
  integer,
  list,
  optional,
  organisationNumber,
  record,
  refuse,
  scopeName,
  text,
  withDefault,
} from '../kernel/index.js';
import {
  type ClientJwk,
  type RegisteredKey,
  jwkOfPem,
  keySetReader,
  knownLater,
  parseCertificate,
} from './client-keys.js';

export interface ClientInput {
  clientId: string;
  /** Organisation that owns the client. */
  orgno: string;
  /** One to five public keys. A client without keys is a certificate client. */
  jwks?: { keys: ClientJwk[] };
  /** The public key instead, as PEM: a key (`BEGIN PUBLIC KEY`) or a certificate, which then locks it. */
  pem?: string;
  /** Key id of the key in `pem`. Default: the RFC 7638 thumbprint of the key, which `keys` of the client shows. */
  kid?: string;
  scopes?: string[];
  /** `access_token_lifetime`, seconds. Default 120. */
  tokenLifetime?: number;
  /** Default true. */
  active?: boolean;
  /** Says that the client signs with enterprise certificates, which then need `trustedRoots`. */
  certificate?: boolean;
  /** PEM certificates at which a chain may end. */
  trustedRoots?: string[];
  /**
   * How long a posted key stays unknown, as the real service takes up to two minutes. Default: 0 for keys of the
   * configuration and the operator API, 120 for those that come through the self-service API.
   */
  keyActivationSeconds?: number;
}

const trustedRoot = (value: unknown, field: string): X509Certificate =>
  parseCertificate(text()(value, field)) ?? refuse(field, 'must be a certificate in PEM');

function clientReader(clock: SimulatorClock) {
  const readKeys = keySetReader(clock);
  const members = record({
    clientId: text(/^[\x21-\x7e]+$/, 'a client id without white space'),
    orgno: organisationNumber,
    jwks: optional(record({ keys: readKeys })),
    pem: optional(text()),
    kid: optional(text()),
    scopes: withDefault(list(scopeName), []),
    tokenLifetime: withDefault(integer(2), 120),
    active: withDefault(flag, true),
    certificate: optional(flag),
    trustedRoots: withDefault(list(trustedRoot), []),
    keyActivationSeconds: optional(integer(0)),
  });
  return (value: unknown, field: string) => {
    const { jwks, pem, kid, ...client } = members(value, field);
    const inside = (name: string): string => (field === '' ? name : `${field}.${name}`);
    if (pem !== undefined && jwks !== undefined) refuse(inside('pem'), 'is for clients without jwks');
    if (pem === undefined && kid !== undefined) refuse(inside('kid'), 'is for the key in pem; a JWK has its own');
    const given = pem === undefined ? (jwks?.keys ?? []) : readKeys([jwkOfPem(pem, kid, inside('pem'))], inside('pem'));
    const delaySeconds = client.keyActivationSeconds ?? 0;
    const keys = given.map((key) => knownLater(key, delaySeconds));
    if (client.certificate === true && client.trustedRoots.length === 0) {
      refuse(inside('trustedRoots'), 'must name the roots that a certificate client may chain to');
    }
    if (client.certificate === false && client.trustedRoots.length > 0) {
      refuse(inside('trustedRoots'), 'is for certificate clients');
    }
    const keysChangedAt = Math.floor(clock.nowSeconds());
    return { ...client, keys, keysChangedAt };
  };
}

export interface Client extends Omit<ReturnType<ReturnType<typeof clientReader>>, 'keys'> {
  readonly keys: readonly RegisteredKey[];
}

export const clientCollection = (clock: SimulatorClock): Collection<Client, ClientInput> =>
  new Collection<Client, ClientInput>({
    name: 'clients',
    read: clientReader(clock),
    key: ({ clientId }) => clientId,
    view: ({ keys, trustedRoots, ...client }) => ({
      ...client,
      keys: keys.map(({ kid, alg, postedAt, expiresAt }) => ({ kid, alg, postedAt, expiresAt })),
      trustedRoots: trustedRoots.map((root) => ({ subject: root.subject, fingerprint256: root.fingerprint256 })),
    }),
  });
