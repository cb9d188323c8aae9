import { onAbort } from '../basics/index.js';

/** The signal of one fetch: the caller's own, and a total time limit. */
export class CallSignal {
  readonly #controller = new AbortController();
  readonly #letGo: (() => void) | undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  /** @param deadlineMs 0 for none */
  constructor(deadlineMs: number, upstream: AbortSignal | null) {
    if (upstream?.aborted === true) this.#controller.abort(upstream.reason);
    else if (upstream !== null) this.#letGo = onAbort(upstream, () => this.#controller.abort(upstream.reason));
    if (deadlineMs > 0) {
      this.#timer = setTimeout(() => {
        const message = `no complete answer within the deadline of ${deadlineMs} ms (deadlineMs)`;
        this.#controller.abort(new DOMException(message, 'TimeoutError'));
      }, deadlineMs);
      // A body that nobody reads must not keep the process alive.
      this.#timer.unref();
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  stopClock(): void {
    clearTimeout(this.#timer);
  }

  /** Lets go of the caller's signal, which may live much longer than this call. */
  release(): void {
    clearTimeout(this.#timer);
    this.#letGo?.();
  }
}
