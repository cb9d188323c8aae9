import { createError, type Hint, type MaskinportenError } from '../errors/index.js';
import type { PublicKeyJwk, RegisteredKey } from './registered-key.js';
import { MAX_KEYS } from './self-service-config.js';

/** What happens to one key. Only a key that has ended, or that was named, is ever dropped. */
export interface PlannedKey {
  readonly kid: string;
  readonly action: 'add' | 'renew' | 'keep' | 'drop';
  /** Why it is dropped, or renewed: it has ended, or it was asked for. */
  readonly reason?: 'expired' | 'named';
  /** When it ends as it is registered now. */
  readonly expiresAt?: Date | undefined;
}

/** The next set of keys of a client, and how it comes about. */
export interface KeySetPlan {
  readonly keys: readonly PlannedKey[];
  /** The whole set, as it is sent. */
  readonly wire: readonly object[];
  /** False when the set is already as it should be. */
  readonly changes: boolean;
}

export interface PublishPlanInput {
  readonly registered: readonly RegisteredKey[];
  readonly key: PublicKeyJwk;
  /** Wall clock in milliseconds, of the API if it is known. */
  readonly nowMs: number;
  /** kid of a key that makes room. One that is already gone is not a fault. */
  readonly drop?: string | undefined;
  /** Gives the key a new year when it is registered already. Default false; a key that has ended is renewed anyway. */
  readonly renew?: boolean | undefined;
}

/**
 * The set with `key` in it.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) when the kid belongs to another key, when the dropped key is the
 *   published one, or when six keys would be left: it then lists them, and nothing is chosen for anybody.
 */
export function planPublish({ registered, key, nowMs, drop, renew = false }: PublishPlanInput): KeySetPlan {
  if (drop === key.kid) {
    throw refusal('drop', `is the key that is to be published (${key.kid})`, NAME_ANOTHER);
  }
  const same = registered.find(({ kid }) => kid === key.kid);
  if (same !== undefined && (same.n !== key.n || same.e !== key.e)) {
    throw refusal('kid', `${key.kid} belongs to another key of the client`, OTHER_KID);
  }
  const planned = registered.map((entry): Entry => {
    if (entry !== same) return leave(entry, nowMs, drop);
    const ended = hasEnded(entry, nowMs);
    if (!renew && !ended) return { ...known(entry, 'keep'), wire: repaired(entry) };
    return { ...known(entry, 'renew'), reason: ended ? 'expired' : 'named', wire: key };
  });
  const plan = planOf(same === undefined ? [...planned, { kid: key.kid, action: 'add', wire: key }] : planned);
  if (plan.wire.length > MAX_KEYS) {
    const kids = registered.map(({ kid }) => kid).join(', ');
    throw refusal('keys', `are ${MAX_KEYS} already, and none has ended: ${kids}`, MAKE_ROOM);
  }
  return plan;
}

/**
 * The set without the key `kid`.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) when no key that is in date would be left.
 */
export function planRemoval(registered: readonly RegisteredKey[], kid: string, nowMs: number): KeySetPlan {
  const plan = planOf(registered.map((entry) => leave(entry, nowMs, kid)));
  if (plan.wire.length === 0) throw refusal('kid', `${kid} is the only key of the client that can sign`, LAST_KEY);
  return plan;
}

type Entry = PlannedKey & { readonly wire?: object };

function leave(entry: RegisteredKey, nowMs: number, drop: string | undefined): Entry {
  if (entry.kid === drop) return { ...known(entry, 'drop'), reason: 'named' };
  // The API takes no key that has ended, so the set could not be written with it; and it cannot sign any more.
  if (hasEnded(entry, nowMs)) return { ...known(entry, 'drop'), reason: 'expired' };
  return { ...known(entry, 'keep'), wire: repaired(entry) };
}

const known = ({ kid, expiresAt }: RegisteredKey, action: PlannedKey['action']): PlannedKey => ({
  kid,
  action,
  expiresAt,
});

const hasEnded = ({ expiresAt }: RegisteredKey, nowMs: number): boolean =>
  expiresAt !== undefined && expiresAt.getTime() <= nowMs;

/** Keys that were registered before May 2025 may lack what is demanded since (Digdir, client keys). */
const repaired = ({ wire }: RegisteredKey): object => ({ use: 'sig', alg: 'RS256', ...wire });

function planOf(entries: readonly Entry[]): KeySetPlan {
  return {
    keys: entries.map(({ wire: _wire, ...planned }) => planned),
    wire: entries.flatMap(({ wire }) => wire ?? []),
    changes: entries.some(({ action }) => action !== 'keep'),
  };
}

const NAME_ANOTHER: Hint = {
  en: 'Name another key to drop.',
  nb: 'Oppgi en annen nøkkel som skal bort.',
};
const OTHER_KID: Hint = {
  en: 'Give the new key a kid of its own, such as its thumbprint.',
  nb: 'Gi den nye nøkkelen en egen kid, for eksempel tommelavtrykket.',
};
const MAKE_ROOM: Hint = {
  en: 'Say which key to drop (drop, or --drop): one that no service signs with.',
  nb: 'Si hvilken nøkkel som skal bort (drop, eller --drop): en som ingen tjeneste signerer med.',
};
const LAST_KEY: Hint = {
  en: 'Publish another key first.',
  nb: 'Registrer en annen nøkkel først.',
};

function refusal(field: string, reason: string, hint: Hint): MaskinportenError {
  return createError('MP_CONFIG', {
    message: `The keys of the client are left as they are. ${field} ${reason}.`,
    failures: [{ field, code: 'MP_CONFIG', reason }],
    hint,
  });
}
