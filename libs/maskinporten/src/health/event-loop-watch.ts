export interface EventLoopWatchOptions {
  /** Time between two beats, in milliseconds. */
  readonly beatMs: number;
  /** A beat that comes later than this, in milliseconds, means a stall. */
  readonly stallMs: number;
  /** How long a stall is reported after it has ended, in milliseconds: a probe cannot be answered while it lasts. */
  readonly rememberMs: number;
  readonly monotonicMs: () => number;
}

/** Notices when the event loop does not turn: a timer beats, and a beat that is late tells how long it stood still (F-131). */
export class EventLoopWatch {
  readonly #options: EventLoopWatchOptions;
  #lastBeatMs: number | undefined;
  #stalledUntilMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: EventLoopWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#lastBeatMs = this.#options.monotonicMs();
    this.#timer = setInterval(() => this.beat(), this.#options.beatMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#lastBeatMs = undefined;
  }

  /** Also called when somebody asks: after a stall the probe may come before the timer. */
  beat(): void {
    const { beatMs, stallMs, rememberMs, monotonicMs } = this.#options;
    if (this.#lastBeatMs === undefined) return;
    const nowMs = monotonicMs();
    if (nowMs - this.#lastBeatMs > beatMs + stallMs) this.#stalledUntilMs = nowMs + rememberMs;
    this.#lastBeatMs = nowMs;
  }

  /** True during `rememberMs` after a stall. */
  get stalled(): boolean {
    this.beat();
    return this.#options.monotonicMs() < this.#stalledUntilMs;
  }
}
