interface CachedToken {
  readonly token: string;
  readonly usableUntilMs: number;
}

/** Milliseconds before its end from which a token is fetched anew: what guides usually suggest. */
const MARGIN_MS = 10_000;

/** The cache that people put round a client that has none: a key of the sorted scopes and the organisation, and a margin. */
export class HandMadeCache {
  readonly #tokens = new Map<string, CachedToken>();

  keyOf(scopes: readonly string[], organisation: string | undefined): string {
    return `${scopes.toSorted().join(' ')}|${organisation ?? ''}`;
  }

  get(key: string): string | undefined {
    const cached = this.#tokens.get(key);
    return cached !== undefined && Date.now() < cached.usableUntilMs ? cached.token : undefined;
  }

  set(key: string, token: string, expiresInSeconds: number): void {
    const lifeMs = expiresInSeconds * 1_000;
    this.#tokens.set(key, { token, usableUntilMs: Date.now() + lifeMs - Math.min(MARGIN_MS, lifeMs / 2) });
  }
}
