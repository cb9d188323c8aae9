import type { TokenEvent, TokenEventListener } from './token-events.js';

/** Tells listeners what happens; a listener that throws or rejects costs a count and nothing else (F-138). */
export class TokenEvents {
  readonly #listeners = new Set<TokenEventListener>();
  #failures = 0;

  /** Exceptions thrown by listeners so far. */
  get listenerFailures(): number {
    return this.#failures;
  }

  /** @returns a function that stops listening */
  on(listener: TokenEventListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  readonly emit = (event: TokenEvent): void => {
    // A copy: a listener that is added while an event is told waits for the next one.
    const listeners = [...this.#listeners];
    for (const listener of listeners) {
      try {
        const result: unknown = listener(event);
        if (result instanceof Promise) result.catch(this.#failed);
      } catch {
        this.#failed();
      }
    }
  };

  readonly #failed = (): void => {
    this.#failures += 1;
  };
}
