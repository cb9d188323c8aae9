import { setImmediate as nextTurn } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { NormalisedTokenRequest } from '../grants/index.js';
import type { Clock } from '../basics/index.js';
import type { TokenEntry } from './token-entry.js';

/** Ended entries looked at per insertion; more than one, so that they go faster than new ones come. */
const SWEEP = 4;
/** Milliseconds between two looks at all entries, and entries looked at in one turn of the event loop. */
const SWEEP_INTERVAL_MS = 30_000;
const SWEEP_SLICE = 500;

export interface TokenCacheOptions {
  readonly maxEntries: number;
  readonly clock: Clock;
  /** Gets each token that had to go although it was usable (F-141). */
  readonly onEvict?: ((entry: TokenEntry) => void) | undefined;
  /** Called when the last of all tokens has ended. */
  readonly onEmpty?: (() => void) | undefined;
  /** Default 30,000. */
  readonly sweepIntervalMs?: number | undefined;
}

/**
 * The tokens of one client: a bounded map that forgets what was used least recently. Ended tokens go as new ones arrive,
 * and at the latest half a minute later: nothing is kept for those who ask no more.
 */
export class TokenCache {
  readonly #entries: LRUCache<string, TokenEntry>;
  readonly #options: TokenCacheOptions;
  readonly #clock: Clock;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TokenCacheOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#entries = new LRUCache({
      max: options.maxEntries,
      dispose: (entry, _, reason) => {
        if (reason === 'evict' && entry.isUsable(options.clock)) options.onEvict?.(entry);
      },
    });
  }

  get size(): number {
    return this.#entries.size;
  }

  get(request: NormalisedTokenRequest): TokenEntry | undefined {
    return this.#entries.get(request.canonical);
  }

  set(request: NormalisedTokenRequest, entry: TokenEntry): void {
    this.#sweep();
    this.#entries.set(request.canonical, entry);
    this.#sweepLater();
  }

  delete(request: NormalisedTokenRequest): void {
    this.#entries.delete(request.canonical);
  }

  /** Drops the tokens whose grant was signed by a key that is no longer used. */
  dropKey(keyIdentity: string): void {
    const dropped = [...this.#entries.entries()].filter(([, entry]) => entry.keyIdentity === keyIdentity);
    for (const [canonical] of dropped) this.#entries.delete(canonical);
  }

  /** A look at the least recently used few: no timer, no pause however many entries there are. */
  #sweep(): void {
    let looked = 0;
    for (const canonical of this.#entries.rkeys()) {
      if (looked === SWEEP) return;
      looked += 1;
      const entry = this.#entries.peek(canonical);
      if (entry !== undefined && !entry.isUsable(this.#clock)) this.#entries.delete(canonical);
    }
  }

  #sweepLater(): void {
    if (this.#timer !== undefined) return;
    const afterMs = this.#options.sweepIntervalMs ?? SWEEP_INTERVAL_MS;
    this.#timer = setTimeout(() => void this.#sweepAll(), afterMs).unref();
  }

  /** All entries, a few in each turn: one look at 100,000 would hold the event loop up for 30 ms. */
  async #sweepAll(): Promise<void> {
    let looked = 0;
    const all = [...this.#entries.keys()];
    for (const canonical of all) {
      const entry = this.#entries.peek(canonical);
      if (entry !== undefined && !entry.isUsable(this.#clock)) this.#entries.delete(canonical);
      looked += 1;
      if (looked % SWEEP_SLICE === 0) await nextTurn();
    }
    this.#timer = undefined;
    if (this.#entries.size > 0) this.#sweepLater();
    else this.#options.onEmpty?.();
  }
}
