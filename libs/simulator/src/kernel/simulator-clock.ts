import { refuse } from './readers.js';

/** Milliseconds since the epoch. */
export type TimeSource = () => number;

const LIMIT_SECONDS = 10 * 366 * 24 * 3600;

/** The one clock of the simulator: `Date` headers, validation and issued tokens all follow it. */
export class SimulatorClock {
  readonly #source: TimeSource;
  #offsetSeconds = 0;

  constructor(source: TimeSource = Date.now) {
    this.#source = source;
  }

  get offsetSeconds(): number {
    return this.#offsetSeconds;
  }

  /** Moves the clock: positive is ahead of the machine. At most ten years either way. */
  setOffset(offsetSeconds: number, field = 'offsetSeconds'): void {
    if (!Number.isFinite(offsetSeconds) || Math.abs(offsetSeconds) > LIMIT_SECONDS) {
      refuse(field, `must be a number from ${-LIMIT_SECONDS} to ${LIMIT_SECONDS}`);
    }
    this.#offsetSeconds = offsetSeconds;
  }

  nowMs(): number {
    return this.#source() + this.#offsetSeconds * 1000;
  }

  /** Seconds with a fraction. */
  nowSeconds(): number {
    return this.nowMs() / 1000;
  }

  date(): Date {
    return new Date(this.nowMs());
  }
}
