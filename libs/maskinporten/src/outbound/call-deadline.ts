import type { GenericAbortSignal } from 'axios';
import { onAbort } from '../basics/index.js';

type Listener = (event: { readonly type: 'abort' }) => void;

/**
 * Total time limit of one call, joined with the caller's own signal. axios's `timeout` does not end an answer that
 * drips. It is a plain object with the part of `AbortSignal` that axios uses, because a real
 * controller and `AbortSignal.any` cost more than everything else that is done per call.
 */
export class CallDeadline implements GenericAbortSignal {
  aborted = false;
  /** The limit was reached; false when the caller gave up. */
  expired = false;
  readonly #listeners: Listener[] = [];
  readonly #letGo: (() => void) | undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(deadlineMs: number, upstream: GenericAbortSignal | undefined) {
    if (upstream?.aborted === true) this.#abort();
    else if (upstream !== undefined) this.#letGo = onAbort(upstream, this.#abort);
    if (deadlineMs > 0) {
      this.#timer = setTimeout(() => {
        this.expired = true;
        this.#abort();
      }, deadlineMs);
    }
  }

  addEventListener(_type: string, listener: Listener): void {
    this.#listeners.push(listener);
  }

  removeEventListener(_type: string, listener: Listener): void {
    const index = this.#listeners.indexOf(listener);
    if (index >= 0) this.#listeners.splice(index, 1);
  }

  /** The same as a real signal, for those who need one. */
  toAbortSignal(): AbortSignal {
    const controller = new AbortController();
    if (this.aborted) controller.abort();
    else this.addEventListener('abort', () => controller.abort());
    return controller.signal;
  }

  stopClock(): void {
    clearTimeout(this.#timer);
  }

  /** Lets go of the caller's signal, which may live much longer than this call. */
  release(): void {
    clearTimeout(this.#timer);
    this.#letGo?.();
  }

  readonly #abort = (): void => {
    if (this.aborted) return;
    this.aborted = true;
    clearTimeout(this.#timer);
    for (const listener of this.#listeners.slice()) listener.call(this, { type: 'abort' });
  };
}
