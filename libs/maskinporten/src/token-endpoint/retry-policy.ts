import type { MaskinportenError } from '../errors/index.js';

/** How often and how long one operation may try. Durations in milliseconds. */
export interface AttemptLimits {
  readonly attempts: number;
  readonly attemptTimeoutMs: number;
  readonly deadlineMs: number;
}

/** Somebody waits for the answer. */
export const FOREGROUND_LIMITS: AttemptLimits = { attempts: 3, attemptTimeoutMs: 3_000, deadlineMs: 8_000 };
/** Nobody waits: a usable token is still there. */
export const BACKGROUND_LIMITS: AttemptLimits = { attempts: 3, attemptTimeoutMs: 5_000, deadlineMs: 20_000 };

/** Settings that are left out, or given as undefined, keep their defaults. */
export function foregroundLimits(overrides: Partial<AttemptLimits> | undefined): AttemptLimits {
  const given = Object.entries(overrides ?? {}).filter(([, value]) => value !== undefined);
  return { ...FOREGROUND_LIMITS, ...Object.fromEntries(given) };
}

/** A retry that could not finish is not started. */
const MIN_USEFUL_MS = 250;
const BASE_MS = 100;
/** After 429 or an explicit Retry-After the server is known to be short of capacity. */
const THROTTLED_BASE_MS = 1_000;
const CAP_MS = 2_000;

/** Full jitter: a random point in the whole interval keeps many replicas from coming back at the same moment. */
export function backoffMs(failures: number, error: MaskinportenError, random: () => number): number {
  const throttled = error.code === 'MP_THROTTLED' || error.retryAfterMs !== undefined;
  const upperMs = Math.min(CAP_MS, (throttled ? THROTTLED_BASE_MS : BASE_MS) * 2 ** Math.max(failures - 1, 0));
  return Math.max(random() * upperMs, error.retryAfterMs ?? 0);
}

/** True when the fault lies with the network or the service, so that the same request may succeed a little later. */
export const isTransient = (error: MaskinportenError): boolean => error.category === 'transient' && error.retryable;

/** True when `delayMs` from now leaves enough of the deadline for an attempt that makes sense. */
export const fits = (delayMs: number, remainingMs: number): boolean => remainingMs - delayMs >= MIN_USEFUL_MS;
