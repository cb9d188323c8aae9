import { createError, isMaskinportenError, type Hint, type MaskinportenError } from '../errors/index.js';
import { sleep } from '../token-endpoint/index.js';
import type { ClientKeysApi } from './client-keys-api.js';
import { planPublish, planRemoval, type KeySetPlan } from './key-set-plan.js';
import { overwritten, timeOf, writePlan } from './publish-key.js';
import type { PublicKeyJwk, RegisteredKeySet } from './registered-key.js';
import { ACTIVATION_MS } from './self-service-config.js';

/** How far a rotation has come. `remainingMs` is the longest it can still take to wait. */
export type RotationProgress =
  { readonly step: 'publish' | 'prove' | 'remove' | 'done' } | { readonly step: 'wait'; readonly remainingMs: number };

export interface RotateKeyOptions {
  readonly api: Pick<ClientKeysApi, 'read' | 'replace'>;
  readonly clientId: string;
  readonly newKey: PublicKeyJwk;
  /** kid of the key that goes. */
  readonly oldKid: string;
  /** Gets a token with the new key alone; see `proveKey`. */
  readonly prove: (signal?: AbortSignal) => Promise<void>;
  /** kid of a third key that makes room, where there are five. */
  readonly drop?: string | undefined;
  /** Ends after the proof, with both keys registered. Run it again without, to take the old one away. Default false. */
  readonly keepOld?: boolean | undefined;
  /** Default false: only the plan is made. */
  readonly apply?: boolean | undefined;
  /** Wall clock in milliseconds, for an API that does not date its answers. */
  readonly nowMs?: (() => number) | undefined;
  /** Waits `ms` milliseconds; throws when the signal fires. */
  readonly wait?: ((ms: number, signal: AbortSignal | undefined) => Promise<void>) | undefined;
  readonly onProgress?: ((progress: RotationProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RotationResult {
  /** The set with the new key. */
  readonly publish: KeySetPlan;
  /** How long the new key has to be waited for, in milliseconds, as it was known at the start. */
  readonly waitMs: number;
  /** The set without the old key, as it looked at the start; undefined when the old key stays or is gone already. */
  readonly remove: KeySetPlan | undefined;
  /** False for a plan alone. */
  readonly applied: boolean;
}

/** How often progress is reported while waiting, in milliseconds. */
const TICK_MS = 1_000;
/** After the two minutes the new key ought to be known. If it is not, patience costs nothing: both keys are registered. */
const PROOF_RETRIES = 8;
const PROOF_PAUSE_MS = 15_000;

/**
 * Puts a new key in the place of an old one: publishes the new one beside it, waits until the token endpoint has had its
 * two minutes, gets a token with the new one, and only then takes the old one away. Where it has come to is read from
 * the API, so it may be stopped anywhere and run again.
 *
 * Services have to sign with the new key, or have both in their ring, before the old one is taken away.
 *
 * @throws MaskinportenError of the API, of a plan, or of the proof; the old key is still registered then, unless the
 *   rotation was complete before.
 */
export async function rotateKey(options: RotateKeyOptions): Promise<RotationResult> {
  const { api, clientId, newKey, oldKid, drop, keepOld = false, signal } = options;
  const before = await api.read(clientId, { signal });
  checkKids(options, before);
  const nowMs = timeOf(before, options.nowMs);
  const publish = planPublish({ registered: before.keys, key: newKey, nowMs, drop });
  const oldIsThere = before.keys.some(({ kid }) => kid === oldKid);
  const adds = publish.keys.some(({ action }) => action === 'add' || action === 'renew');
  const result: RotationResult = {
    publish,
    waitMs: adds ? ACTIVATION_MS : waitMsOf(before, nowMs),
    remove: oldIsThere && !keepOld ? removalAfter(before, options, nowMs) : undefined,
    applied: options.apply ?? false,
  };
  if (!result.applied) return result;

  const tell = options.onProgress ?? ((): void => undefined);
  let set = before;
  if (publish.changes) {
    tell({ step: 'publish' });
    const written = await writePlan(api, clientId, publish, signal);
    // A set that only lost keys is nothing to wait for.
    if (adds) set = written;
  }
  await waitOut(waitMsOf(set, timeOf(set, options.nowMs)), options);
  await proveWithPatience(options);
  if (oldIsThere && !keepOld) {
    tell({ step: 'remove' });
    // Read again: two minutes are long enough for somebody else to have changed the set.
    const latest = await api.read(clientId, { signal });
    const { kid, n, e } = newKey;
    // The token endpoint knows a key for a while after it is gone, so the proof alone does not say that it is still there.
    if (!latest.keys.some((key) => key.kid === kid && key.n === n && key.e === e)) throw overwritten(latest.keys);
    const removal = planRemoval(latest.keys, oldKid, timeOf(latest, options.nowMs));
    if (removal.changes) await writePlan(api, clientId, removal, signal);
  }
  tell({ step: 'done' });
  return result;
}

function refusal(reason: string, hint: Hint): MaskinportenError {
  return createError('MP_CONFIG', {
    message: `The keys of the client are left as they are. oldKid ${reason}.`,
    failures: [{ field: 'oldKid', code: 'MP_CONFIG', reason }],
    hint,
  });
}

function checkKids({ newKey, oldKid, drop }: RotateKeyOptions, { keys }: RegisteredKeySet): void {
  if (oldKid === newKey.kid || oldKid === drop) {
    throw refusal('is also named as the new key or as the one to drop', {
      en: 'The new key needs a kid of its own; the old one goes only when the new one has proved itself.',
      nb: 'Den nye nøkkelen trenger en egen kid; den gamle tas bort først når den nye har vist at den virker.',
    });
  }
  const kids = keys.map(({ kid }) => kid);
  // Absent beside the new key, it has been taken away before; absent without it, it is misspelt.
  if (!kids.includes(oldKid) && !kids.includes(newKey.kid)) {
    throw refusal(`${oldKid} is not registered; registered are ${kids.join(', ') || 'none'}`, {
      en: 'Give the kid of the key that is to be replaced.',
      nb: 'Oppgi kid-en til nøkkelen som skal erstattes.',
    });
  }
}

/** What taking the old key away will do, seen from before the new one is there. */
function removalAfter(
  { keys }: RegisteredKeySet,
  { newKey, oldKid, drop }: RotateKeyOptions,
  nowMs: number,
): KeySetPlan {
  const others = keys.filter(({ kid }) => kid !== newKey.kid && kid !== drop);
  return planRemoval([...others, { ...newKey, wire: { ...newKey } }], oldKid, nowMs);
}

/** Dates in headers have whole seconds: what seems to be over may have up to one left. */
const DATE_GRAIN_MS = 1_000;

/** Counted from the last change of the set by the API's own clock, so that it needs no memory of ours. */
function waitMsOf({ changedAt }: RegisteredKeySet, nowMs: number): number {
  if (changedAt === undefined) return ACTIVATION_MS;
  const leftMs = changedAt.getTime() + ACTIVATION_MS + DATE_GRAIN_MS - nowMs;
  return Math.min(Math.max(leftMs, 0), ACTIVATION_MS);
}

async function waitOut(totalMs: number, { wait = plainWait, onProgress, signal }: RotateKeyOptions): Promise<void> {
  for (let remainingMs = totalMs; remainingMs > 0; remainingMs -= TICK_MS) {
    onProgress?.({ step: 'wait', remainingMs });
    await wait(Math.min(TICK_MS, remainingMs), signal);
  }
}

async function proveWithPatience(options: RotateKeyOptions): Promise<void> {
  for (let retries = 0; ; retries += 1) {
    options.onProgress?.({ step: 'prove' });
    try {
      return await options.prove(options.signal);
    } catch (error) {
      if (!isMaskinportenError(error, 'MP_SIGNATURE') || retries >= PROOF_RETRIES) throw error;
      await waitOut(PROOF_PAUSE_MS, options);
    }
  }
}

const plainWait = async (ms: number, signal: AbortSignal | undefined): Promise<void> => sleep(ms, signal, true);
