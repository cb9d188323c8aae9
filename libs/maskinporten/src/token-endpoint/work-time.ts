/** Longer timers fire after one millisecond (T-65). */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The time in which something is really done for an operation. It stands still while the operation waits for its turn,
 * for a connection or a signature, because that is nobody's fault (F-139).
 */
export class WorkTime {
  readonly #monotonicMs: () => number;
  readonly #onEnd: () => void;
  readonly #limitMs: number;
  #usedMs = 0;
  /** Reading of the clock when it last began to run; undefined while it stands still. */
  #sinceMs: number | undefined;
  /** What the timer has left, by the clock that timers go by. */
  #timerLeftMs: number;
  #timerSinceMs = 0;
  #timedMs = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #keepsAlive: boolean;

  /** @param onEnd called once when the limit, in milliseconds, is used up */
  constructor(limitMs: number, options: { monotonicMs: () => number; keepsAlive: boolean; onEnd: () => void }) {
    this.#monotonicMs = options.monotonicMs;
    this.#onEnd = options.onEnd;
    this.#keepsAlive = options.keepsAlive;
    this.#limitMs = limitMs;
    this.#timerLeftMs = limitMs;
  }

  get usedMs(): number {
    return this.#usedMs + (this.#sinceMs === undefined ? 0 : this.#monotonicMs() - this.#sinceMs);
  }

  /** The same by the clock that timers go by, and never set back. */
  get timedMs(): number {
    return this.#timedMs + (this.#sinceMs === undefined ? 0 : performance.now() - this.#timerSinceMs);
  }

  get remainingMs(): number {
    return this.#limitMs - this.usedMs;
  }

  run(): void {
    if (this.#sinceMs !== undefined) return;
    this.#sinceMs = this.#monotonicMs();
    this.#timerSinceMs = performance.now();
    this.#timer = setTimeout(this.#onEnd, Math.min(Math.max(this.#timerLeftMs, 0), MAX_TIMER_MS));
    if (!this.#keepsAlive) this.#timer.unref();
  }

  pause(): void {
    if (this.#sinceMs === undefined) return;
    clearTimeout(this.#timer);
    this.#timerLeftMs -= performance.now() - this.#timerSinceMs;
    this.#timedMs = this.timedMs;
    this.#usedMs = this.usedMs;
    this.#sinceMs = undefined;
  }

  /** Begins again, as if nothing had been used. */
  restart(): void {
    const running = this.#sinceMs !== undefined;
    this.pause();
    this.#timerLeftMs = this.#limitMs;
    this.#usedMs = 0;
    if (running) this.run();
  }
}
