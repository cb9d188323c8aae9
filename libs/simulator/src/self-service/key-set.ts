import { ConfigurationError, type SimulatorClock, record, refuse } from '../kernel/index.js';
import { type Client, type RegisteredKey, keySetReader } from '../maskinporten/index.js';
import type { Refusal } from './answers.js';

/** How long the token endpoint may take to know a key that was registered (Digdir, client keys): the longest. */
const ACTIVATION_SECONDS = 120;

/** The client with another set of keys. A key that was registered before stays known: posting it again renews it. */
export function withKeys(client: Client, keys: readonly RegisteredKey[], nowSeconds: number): Client {
  const delay = client.keyActivationSeconds ?? ACTIVATION_SECONDS;
  return {
    ...client,
    keysChangedAt: Math.floor(nowSeconds),
    keys: keys.map((key) => {
      const before = client.keys.find(({ kid, publicKey }) => kid === key.kid && publicKey.equals(key.publicKey));
      return { ...key, knownFrom: before?.knownFrom ?? nowSeconds + delay };
    }),
  };
}

/** Reads the body of POST and PUT: the whole set, or what is wrong with it, field by field. */
export function jwksReader(
  clock: SimulatorClock,
): (body: unknown, nowSeconds: number) => { readonly keys: readonly RegisteredKey[] } | Refusal {
  const readKeys = keySetReader(clock);
  const readBody = record({
    keys: (value: unknown, field: string) => {
      // The last key is removed with DELETE, not with an empty set.
      if (Array.isArray(value) && value.length === 0) refuse(field, 'must hold at least one key');
      return readKeys(value, field);
    },
  });
  return (body, nowSeconds) => {
    try {
      const { keys } = readBody(body, '');
      const past = keys.findIndex(({ expiresAt }) => expiresAt <= nowSeconds);
      // That an `exp` in the past is refused is inferred: such a key could never sign.
      if (past >= 0) refuse(`keys[${past}].exp`, 'must lie in the future');
      return { keys };
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      const { problems } = error;
      const description = problems.map(({ field, reason }) => `${field} ${reason}`.trim()).join(', ');
      return { status: 400, check: 'jwks.valid', error: description, description, problems };
    }
  };
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** What the API answers: the set, each key with its end, and when the set was changed. */
export function jwksView({ keys, keysChangedAt }: Client): object {
  const created = Math.min(keysChangedAt, ...keys.map(({ postedAt }) => postedAt));
  return {
    created: iso(created),
    last_updated: iso(keysChangedAt),
    keys: keys.map(({ kid, alg, publicKey, expiresAt, x5c }) => {
      const { n, e } = publicKey.export({ format: 'jwk' });
      return { kty: 'RSA', use: 'sig', alg, kid, e, n, exp: expiresAt, ...(x5c !== undefined && { x5c }) };
    }),
  };
}
