/**
 * Those who hear of something. One that throws or rejects costs a count and nothing else (F-138): the
 * one that speaks has its own work to finish.
 *
 * @example
 * const changes = new Listeners<[change: KeyChange]>();
 * const stop = changes.add((change) => log(change));
 * changes.tell(change);
 */
export class Listeners<Facts extends readonly unknown[]> {
  readonly #all = new Set<(...facts: Facts) => unknown>();
  #failures = 0;

  /** Times that a listener has thrown or rejected so far. */
  get failures(): number {
    return this.#failures;
  }

  /** @returns a function that stops listening */
  add(listener: (...facts: Facts) => unknown): () => void {
    this.#all.add(listener);
    return () => {
      this.#all.delete(listener);
    };
  }

  readonly tell = (...facts: Facts): void => {
    // A copy: a listener that is added meanwhile waits for the next time.
    const all = [...this.#all];
    for (const listener of all) {
      try {
        const result = listener(...facts);
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
