import { createError, type MaskinportenError } from '../errors/index.js';
import type { ClientKeysApi } from './client-keys-api.js';
import { planPublish, type KeySetPlan } from './key-set-plan.js';
import type { PublicKeyJwk, RegisteredKeySet } from './registered-key.js';
import { SELF_SERVICE_FIELD } from './self-service-config.js';

export interface PublishKeyOptions {
  readonly api: Pick<ClientKeysApi, 'read' | 'replace'>;
  readonly clientId: string;
  readonly key: PublicKeyJwk;
  /** kid of a key that makes room for it. */
  readonly drop?: string | undefined;
  /** Gives a key that is registered already a new year. Default false. */
  readonly renew?: boolean | undefined;
  /** Default false: only the plan is made. */
  readonly apply?: boolean | undefined;
  /** Wall clock in milliseconds, for an API that does not date its answers. */
  readonly nowMs?: (() => number) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PublishedKey {
  readonly plan: KeySetPlan;
  /** Something was written. */
  readonly applied: boolean;
  /** The set as it is now. */
  readonly set: RegisteredKeySet;
}

/**
 * Registers a key beside those that are there; running it again changes nothing. What is registered is read back, for
 * the API has no lock, and another writer of the set at the same time would undo it.
 *
 * @throws MaskinportenError of the API, or of the plan (`planPublish`).
 * @throws TokenEndpointUnavailableError (`MP_UPSTREAM`) when the set that is read back is not the one that was written:
 *   run it again.
 */
export async function publishKey(options: PublishKeyOptions): Promise<PublishedKey> {
  const { api, clientId, key, drop, renew, apply = false, signal } = options;
  const set = await api.read(clientId, { signal });
  const plan = planPublish({ registered: set.keys, key, nowMs: timeOf(set, options.nowMs), drop, renew });
  if (!apply || !plan.changes) return { plan, applied: false, set };
  return { plan, applied: true, set: await writePlan(api, clientId, plan, signal) };
}

/** Wall clock of the API in milliseconds. */
export const timeOf = ({ serverTime }: RegisteredKeySet, nowMs: () => number = Date.now): number =>
  serverTime?.getTime() ?? nowMs();

/** Writes a plan and reads it back. */
export async function writePlan(
  api: Pick<ClientKeysApi, 'read' | 'replace'>,
  clientId: string,
  plan: KeySetPlan,
  signal: AbortSignal | undefined,
): Promise<RegisteredKeySet> {
  await api.replace(clientId, plan.wire, { signal });
  const set = await api.read(clientId, { signal });
  const wanted = plan.keys.filter(({ action }) => action !== 'drop').map(({ kid }) => kid);
  const found = set.keys.map(({ kid }) => kid);
  if (wanted.length === found.length && wanted.every((kid) => found.includes(kid))) return set;
  throw overwritten(set.keys);
}

/** What is registered is not what this run has written. */
export function overwritten(found: RegisteredKeySet['keys']): MaskinportenError {
  const kids = found.map(({ kid }) => kid).join(', ');
  return createError('MP_UPSTREAM', {
    message: `The keys of the client are not those that were just written, but ${kids || 'none'}.`,
    field: SELF_SERVICE_FIELD,
    retryable: true,
    hint: {
      en: 'Somebody else changed them at the same time, and the API has no lock: make sure that one changes them at a time, and run it again.',
      nb: 'Noen andre endret dem samtidig, og API-et har ingen lås: sørg for at én endrer dem om gangen, og kjør på nytt.',
    },
  });
}
