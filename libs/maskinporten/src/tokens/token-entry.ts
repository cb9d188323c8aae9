import type { Clock, Moment } from '../basics/index.js';
import type { MaskinportenToken } from './maskinporten-token.js';

/** Where in its life, as a share, a token is refreshed in the background: a random point between the two. */
export type RefreshWindow = readonly [from: number, to: number];

/** Random between half and three quarters of the life, so that replicas spread and a failing refresh has time to repeat. */
export const DEFAULT_REFRESH_WINDOW: RefreshWindow = [0.5, 0.75];

/** Milliseconds before its end from which a token is no longer handed out: min(5 s, 20 % of the life). */
const marginMs = (lifeMs: number): number => Math.min(5_000, lifeMs * 0.2);

/**
 * A cached token with its life. It is usable until the wall clock *or* the monotonic clock says that it is not: one of
 * them can be wrong (set back, or stopped while the machine slept), but hardly both.
 */
export class TokenEntry {
  readonly token: MaskinportenToken;
  /** The token as a settled promise, made once: a cache hit allocates nothing. */
  readonly settled: Promise<MaskinportenToken>;
  readonly keyIdentity: string;
  readonly #lifeMs: number;
  readonly #usableUntilWallMs: number;
  readonly #usableUntilMonotonicMs: number;
  #refreshAtMonotonicMs: number;
  #refreshAtWallMs: number;

  constructor(options: {
    token: MaskinportenToken;
    keyIdentity: string;
    /** Just before the request was sent. */
    start: Moment;
    lifeMs: number;
    window: RefreshWindow;
    random: () => number;
  }) {
    const { token, start, lifeMs, window, random } = options;
    this.token = token;
    this.settled = Promise.resolve(token);
    this.keyIdentity = options.keyIdentity;
    this.#lifeMs = lifeMs;
    const usableMs = lifeMs - marginMs(lifeMs);
    this.#usableUntilWallMs = start.wallMs + usableMs;
    this.#usableUntilMonotonicMs = start.monotonicMs + usableMs;
    const refreshMs = lifeMs * (window[0] + (window[1] - window[0]) * random());
    this.#refreshAtWallMs = start.wallMs + refreshMs;
    this.#refreshAtMonotonicMs = start.monotonicMs + refreshMs;
  }

  /** True when the server itself no longer accepts the token. */
  hasEnded(clock: Clock): boolean {
    const marginLeftMs = marginMs(this.#lifeMs);
    return (
      clock.monotonicMs() >= this.#usableUntilMonotonicMs + marginLeftMs ||
      clock.wallMs() >= this.#usableUntilWallMs + marginLeftMs
    );
  }

  isUsable(clock: Clock): boolean {
    return clock.monotonicMs() < this.#usableUntilMonotonicMs && clock.wallMs() < this.#usableUntilWallMs;
  }

  /** `unusable`, `usable`, or `refresh`: usable, and time to get the next one. Reads each clock once. */
  stateAt(clock: Clock): 'unusable' | 'refresh' | 'usable' {
    const monotonicMs = clock.monotonicMs();
    const wallMs = clock.wallMs();
    if (monotonicMs >= this.#usableUntilMonotonicMs || wallMs >= this.#usableUntilWallMs) return 'unusable';
    return monotonicMs >= this.#refreshAtMonotonicMs || wallMs >= this.#refreshAtWallMs ? 'refresh' : 'usable';
  }

  /** After a failed refresh: do not try again before a part of the life has passed. */
  postponeRefresh(now: Moment, random: () => number): void {
    const pauseMs = Math.max(1_000, this.#lifeMs * 0.05) * (0.5 + random());
    this.#refreshAtMonotonicMs = now.monotonicMs + pauseMs;
    this.#refreshAtWallMs = now.wallMs + pauseMs;
  }
}
