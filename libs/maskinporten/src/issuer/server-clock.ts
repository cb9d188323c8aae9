import { type Clock, parseHttpDate } from '../basics/index.js';

export type ClockState =
  /** Not measured, or within two seconds. */
  | 'ok'
  /** Off by two to five seconds and corrected. */
  | 'corrected'
  /** Off by more than five seconds and corrected: somebody should look at the machine's clock. */
  | 'degraded'
  /** Off by more than five minutes: not corrected, because such a `Date` may as well be wrong itself. */
  | 'refused';

/** Below this the second's resolution of `Date` cannot tell an offset from none. */
const IGNORED_MS = 2_000;
const NOTICE_MS = 5_000;
const REFUSED_MS = 5 * 60_000;
/** An answer that took longer says too little about the moment it was dated. */
const MAX_ROUND_TRIP_MS = 10_000;

/**
 * Time as the server sees it: the local wall clock plus an offset measured from `Date` headers. Maskinporten accepts an
 * `iat` within ten seconds of its clock (Digdir, JWT grant).
 */
export class ServerClock {
  readonly #clock: Clock;
  #measuredMs = 0;
  #wallThenMs = 0;
  #monotonicThenMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Server time in milliseconds since the epoch. */
  now(): number {
    return this.#clock.wallMs() + this.offsetMs;
  }

  /** What is added to the wall clock: 0 when the clock is right, unknown, or too far off to be believed. */
  get offsetMs(): number {
    const measured = this.measuredOffsetMs;
    return Math.abs(measured) <= IGNORED_MS || Math.abs(measured) > REFUSED_MS ? 0 : measured;
  }

  /** Server time minus local time as last measured, also when it is not applied. */
  get measuredOffsetMs(): number {
    if (this.#measuredMs === 0) return 0;
    return afterJump(this.#measuredMs, this.#jumpMs());
  }

  get state(): ClockState {
    const offset = Math.abs(this.measuredOffsetMs);
    if (offset <= IGNORED_MS) return 'ok';
    if (offset > REFUSED_MS) return 'refused';
    return offset > NOTICE_MS ? 'degraded' : 'corrected';
  }

  /**
   * Learns from one answer. `sentAtMs` and `receivedAtMs` are wall-clock readings around the request.
   *
   * @returns false when the header tells nothing (missing, malformed, or an answer that took too long).
   */
  observe(dateHeader: string | undefined, sentAtMs: number, receivedAtMs: number): boolean {
    const dateMs = parseHttpDate(dateHeader ?? '');
    const roundTripMs = receivedAtMs - sentAtMs;
    if (dateMs === undefined || !(roundTripMs >= 0 && roundTripMs <= MAX_ROUND_TRIP_MS)) return false;
    // `Date` is cut to the second, so its middle is the best guess; the server wrote it somewhere between the two reads.
    this.#measuredMs = Math.round(dateMs + 500 - (sentAtMs + roundTripMs / 2));
    this.#wallThenMs = this.#clock.wallMs();
    this.#monotonicThenMs = this.#clock.monotonicMs();
    return true;
  }

  /** How far the wall clock has moved more than the monotonic one since the measurement. */
  #jumpMs(): number {
    return this.#clock.wallMs() - this.#wallThenMs - (this.#clock.monotonicMs() - this.#monotonicThenMs);
  }
}

/**
 * What is left of an offset after the wall clock jumped. Back means that somebody set it: the offset grows by as much.
 * Forward is either somebody correcting it (then nothing is left) or the machine waking from sleep (nothing changed).
 */
function afterJump(measuredMs: number, jumpMs: number): number {
  if (Math.abs(jumpMs) <= IGNORED_MS) return measuredMs;
  const left = measuredMs - jumpMs;
  return jumpMs < 0 || Math.abs(left) <= IGNORED_MS ? left : measuredMs;
}
