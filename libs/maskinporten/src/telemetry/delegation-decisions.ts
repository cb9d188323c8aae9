/** The guard's answers are a closed list; anything else is counted as one, so that no input can make new series. */
const DECISION_CODE = /^[a-z_]{1,40}$/;

export type DecisionListener = (decision: string) => void;

/** Tells telemetry what the system user guard decided. Nothing about who asked or for whom. */
export class DelegationDecisions {
  readonly #listeners = new Set<DecisionListener>();
  #failures = 0;

  /** @param decision `allowed`, or the code of the refusal. Never throws (F-138). */
  record(decision: string): void {
    const code = DECISION_CODE.test(decision) ? decision : 'other';
    for (const listener of this.#listeners) {
      try {
        listener(code);
      } catch {
        this.#failures += 1;
      }
    }
  }

  /** Exceptions thrown by listeners so far. */
  get listenerFailures(): number {
    return this.#failures;
  }

  /** @returns a function that stops listening */
  onDecision(listener: DecisionListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
