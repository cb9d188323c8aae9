/**
 * The two clocks a token's life is measured with. The wall clock can be set back or forth, the monotonic clock stops
 * while the machine sleeps: a token is used only while both agree (F-102…F-104).
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  wallMs(): number;
  /** Milliseconds since an arbitrary moment; never goes back. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** Both clocks at one moment, in milliseconds. */
export interface Moment {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

export const momentOf = (clock: Clock): Moment => ({ wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() });
