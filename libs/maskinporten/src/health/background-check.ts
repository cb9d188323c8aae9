/** Shortest and longest time between two checks, in milliseconds. */
export type CheckInterval = readonly [fromMs: number, toMs: number];

export interface BackgroundCheckOptions {
  readonly everyMs: CheckInterval;
  /** Milliseconds one check may take. */
  readonly deadlineMs: number;
  readonly random: () => number;
  /** One check; must not throw. */
  readonly check: (signal: AbortSignal) => Promise<void>;
}

/**
 * Repeats a check at random intervals, so that replicas spread, and never two at a time. Its timers do not keep the
 * process alive.
 */
export class BackgroundCheck {
  readonly #options: BackgroundCheckOptions;
  readonly #stopped = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BackgroundCheckOptions) {
    this.#options = options;
  }

  /** The first check begins at once. */
  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#stopped.abort();
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    const { everyMs, deadlineMs, random, check } = this.#options;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), deadlineMs);
    timer.unref();
    try {
      await check(AbortSignal.any([deadline.signal, this.#stopped.signal]));
    } finally {
      clearTimeout(timer);
    }
    if (this.#stopped.signal.aborted) return;
    const [fromMs, toMs] = everyMs;
    this.#timer = setTimeout(() => void this.#run(), fromMs + (toMs - fromMs) * random());
    this.#timer.unref();
  }
}
