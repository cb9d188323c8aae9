import type { WatchedTokenService } from '../signals/index.js';

/** Between two tries; the token service has its own retries, deadline and circuit below this. */
const RETRY_MS = 1_000;

export interface FirstTokenOptions {
  readonly service: WatchedTokenService;
  readonly request: Parameters<WatchedTokenService['getToken']>[0];
  /** Milliseconds after which nobody waits any longer. */
  readonly limitMs: number;
  readonly monotonicMs: () => number;
}

/** Asks for a first token until it is there or nobody waits for it any more. */
export class FirstToken {
  readonly #options: FirstTokenOptions;
  readonly #stopped = new AbortController();
  #startedMs: number | undefined;
  #obtained = false;

  constructor(options: FirstTokenOptions) {
    this.#options = options;
  }

  /** True until the first token, for at most the limit: an outage must not keep new replicas away for good. */
  get awaited(): boolean {
    if (this.#obtained || this.#stopped.signal.aborted) return false;
    return this.#startedMs === undefined || this.#elapsedMs < this.#options.limitMs;
  }

  start(): void {
    this.#startedMs = this.#options.monotonicMs();
    void this.#ask();
  }

  stop(): void {
    this.#stopped.abort();
  }

  get #elapsedMs(): number {
    return this.#options.monotonicMs() - (this.#startedMs ?? 0);
  }

  async #ask(): Promise<void> {
    const { service, request } = this.#options;
    try {
      await service.getToken(request, { signal: this.#stopped.signal });
      this.#obtained = true;
    } catch {
      // The token service reports why; here it only means to wait longer.
      if (this.awaited) setTimeout(() => void this.#ask(), RETRY_MS).unref();
    }
  }
}
