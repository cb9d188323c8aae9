import { LRUCache } from 'lru-cache';

/** Shortest time between two forced refreshes of one request, in milliseconds. */
const INTERVAL_MS = 5_000;

/** Bounds forced refreshes, so that an API that answers every token with 401 costs a handful of tokens, not one per call (T-71). */
export class ForcedRefreshes {
  readonly #lastMs: LRUCache<string, number>;
  readonly #monotonicMs: () => number;

  constructor(options: { maxEntries: number; monotonicMs: () => number }) {
    this.#lastMs = new LRUCache({ max: options.maxEntries });
    this.#monotonicMs = options.monotonicMs;
  }

  /** @returns true, and counts it, when the request may be refreshed by force now. */
  allow(canonical: string): boolean {
    const now = this.#monotonicMs();
    const last = this.#lastMs.get(canonical);
    if (last !== undefined && now - last < INTERVAL_MS) return false;
    this.#lastMs.set(canonical, now);
    return true;
  }
}
