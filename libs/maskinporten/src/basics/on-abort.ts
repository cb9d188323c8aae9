/** The part of `AbortSignal` that is needed here; axios's own signals are no more than this. */
export interface AbortSource {
  readonly aborted: boolean;
  addEventListener?(type: 'abort', listener: () => void): void;
  removeEventListener?(type: 'abort', listener: () => void): void;
}

/** Everybody who waits for one signal, behind a single listener on it. */
class AbortHub {
  readonly #signal: AbortSource;
  readonly #waiting = new Set<() => void>();

  constructor(signal: AbortSource) {
    this.#signal = signal;
  }

  add(listener: () => void): void {
    if (this.#waiting.size === 0) this.#signal.addEventListener?.('abort', this.#forward);
    this.#waiting.add(listener);
  }

  delete(listener: () => void): void {
    if (this.#waiting.delete(listener) && this.#waiting.size === 0) this.#letGo();
  }

  readonly #letGo = (): void => this.#signal.removeEventListener?.('abort', this.#forward);

  readonly #forward = (): void => {
    const all = [...this.#waiting];
    this.#waiting.clear();
    this.#letGo();
    for (const listener of all) listener();
  };
}

const hubs = new WeakMap<object, AbortHub>();

/**
 * Calls `listener` once when the signal fires. A thousand callers who share one signal put one listener on it: Node warns
 * of a leak at eleven (`MaxListenersExceededWarning`).
 *
 * @param listener must not throw, and must be another function for each caller
 * @returns ends the wait; the last one takes the listener off the signal
 * @example const release = onAbort(signal, () => controller.abort());
 */
export function onAbort(signal: AbortSource, listener: () => void): () => void {
  const hub = hubs.get(signal) ?? new AbortHub(signal);
  hubs.set(signal, hub);
  hub.add(listener);
  return () => hub.delete(listener);
}
