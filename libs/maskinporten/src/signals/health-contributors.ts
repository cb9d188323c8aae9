/** What something else than a token service says about its health. `details` must hold nothing secret. */
export interface HealthContribution {
  readonly status: 'up' | 'degraded' | 'down';
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Anything whose state belongs into the health report: a shared token store, an audit sink, a key that is re-read. */
export interface HealthContributor {
  readonly name: string;
  /** Asked for each report: answers at once from what is known, without I/O. */
  report(): HealthContribution;
}

/**
 * Who contributes to the health report of an application. It lives here and not with the reports, so that contributing
 * does not need the optional health library.
 */
export class HealthContributors {
  readonly #contributors = new Set<HealthContributor>();

  /** @returns a function that takes the contributor away */
  add(contributor: HealthContributor): () => void {
    this.#contributors.add(contributor);
    return () => {
      this.#contributors.delete(contributor);
    };
  }

  list(): readonly HealthContributor[] {
    return [...this.#contributors];
  }
}
