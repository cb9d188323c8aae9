import { LRUCache } from 'lru-cache';
import type { NormalisedTokenRequest } from '../grants/index.js';
import type { Clock } from '../basics/index.js';
import type { TokenEntry } from './token-entry.js';

/** Ended entries looked at per insertion; more than one, so that they go faster than new ones come. */
const SWEEP = 4;

/** The tokens of one client: a bounded map that forgets what was used least recently, and ended tokens as new ones arrive. */
export class TokenCache {
  readonly #entries: LRUCache<string, TokenEntry>;
  readonly #clock: Clock;

  constructor(options: { maxEntries: number; clock: Clock }) {
    this.#entries = new LRUCache({ max: options.maxEntries });
    this.#clock = options.clock;
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
}
