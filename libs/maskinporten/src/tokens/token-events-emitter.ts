import type { TokenEvent, TokenEventListener } from './token-events.js';

/** Tells listeners what happens; a listener that throws costs a count and nothing else (F-138). */
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
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch {
        this.#failures += 1;
      }
    }
  };
}
