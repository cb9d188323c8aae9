import type { SigningAlgorithm } from '../key-files/index.js';
import { isRecord } from '../basics/index.js';

/** A public key as it is sent to be registered. */
export interface PublicKeyJwk {
  readonly kty: 'RSA';
  readonly use: 'sig';
  readonly alg: SigningAlgorithm;
  readonly kid: string;
  readonly e: string;
  readonly n: string;
  /** Seconds since the epoch, at most one year ahead. Without it the key lives one year from now. */
  readonly exp?: number;
}

/** A key that is registered on a client. */
export interface RegisteredKey {
  readonly kid: string;
  /** Modulus and exponent, which tell whether it is the same key. */
  readonly n: string;
  readonly e: string;
  /** When Maskinporten stops accepting it; undefined when the API does not say. */
  readonly expiresAt?: Date;
  /** All that the API said of it, to be written back as it is. */
  readonly wire: Readonly<Record<string, unknown>>;
}

/** The keys of a client at one moment. */
export interface RegisteredKeySet {
  readonly keys: readonly RegisteredKey[];
  /** When the set was changed last, by the API's own clock. */
  readonly changedAt?: Date | undefined;
  /** The API's clock when it answered. */
  readonly serverTime?: Date | undefined;
}

/**
 * @returns undefined when it is not what the API answers. A set with an entry that cannot be understood is not an answer at
 *   all: it could not be written back whole.
 */
export function readKeySet(json: unknown): Pick<RegisteredKeySet, 'keys' | 'changedAt'> | undefined {
  if (!isRecord(json) || !Array.isArray(json['keys'])) return undefined;
  const entries: readonly unknown[] = json['keys'];
  const keys = entries.map(readKey);
  if (!keys.every((key) => key !== undefined)) return undefined;
  const changedAt = readDate(json['last_updated']);
  return { keys, changedAt };
}

function readKey(entry: unknown): RegisteredKey | undefined {
  if (!isRecord(entry)) return undefined;
  const { kid, n, e, exp } = entry;
  if (typeof kid !== 'string' || typeof n !== 'string' || typeof e !== 'string') return undefined;
  const expiresAt = typeof exp === 'number' ? new Date(exp * 1000) : undefined;
  const dated = expiresAt !== undefined && !Number.isNaN(expiresAt.getTime());
  return { kid, n, e, ...(dated ? { expiresAt } : {}), wire: entry };
}

export function readDate(text: unknown): Date | undefined {
  if (typeof text !== 'string') return undefined;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
