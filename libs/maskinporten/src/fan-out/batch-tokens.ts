import { setTimeout as delay } from 'node:timers/promises';
import { isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';
import type { MaskinportenToken, MaskinportenTokenService } from '../tokens/index.js';
import type { OutageWatch } from './outage-watch.js';

/** Milliseconds between two requests for a token that failed because Maskinporten was down, when it did not say. */
const RETRY_MS = 1_000;
/** Milliseconds that a request may take when the outage has lasted too long: enough to find that it is over. */
const LAST_CHANCE_MS = 1_000;

/** Tokens for batch work: their requests wait out an outage (F-143). */
export class BatchTokens {
  readonly #tokens: Pick<MaskinportenTokenService, 'getToken'>;
  readonly #outage: OutageWatch;
  readonly #maxOutageMs: number;
  /** Everybody whose wait ends when the outage has lasted too long. */
  readonly #waits = new Set<AbortController>();
  #timer: NodeJS.Timeout | undefined;

  constructor(tokens: Pick<MaskinportenTokenService, 'getToken'>, outage: OutageWatch, maxOutageMs: number) {
    this.#tokens = tokens;
    this.#outage = outage;
    this.#maxOutageMs = maxOutageMs;
  }

  /** To be called when an outage begins or ends. */
  outageChanged(): void {
    clearTimeout(this.#timer);
    if (this.#outage.since === undefined) return;
    this.#timer = setTimeout(
      () => {
        for (const wait of this.#waits) wait.abort();
      },
      Math.min(this.#maxOutageMs, 2 ** 31 - 1),
    );
    this.#timer.unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** @throws MaskinportenError when no token can be had, or the outage has lasted too long; MP_ABORTED with `signal` */
  async get(request: NormalisedTokenRequest, signal: AbortSignal): Promise<MaskinportenToken> {
    this.#outage.add(request.kind);
    let failingSinceMs: number | undefined;
    for (;;) {
      const wait = new AbortController();
      const end = AbortSignal.any([signal, wait.signal]);
      const late = this.#outage.lastedMs >= this.#maxOutageMs && this.#outage.since !== undefined;
      const lastChance = late ? setTimeout(() => wait.abort(), LAST_CHANCE_MS) : undefined;
      this.#waits.add(wait);
      try {
        return await this.#tokens.getToken(request, { priority: 'batch', signal: end });
      } catch (error) {
        failingSinceMs ??= performance.now();
        const retryAfterMs = this.#judge(error, signal, wait.signal.aborted, performance.now() - failingSinceMs);
        await delay(retryAfterMs, undefined, { signal: end }).catch(() => undefined);
        if (signal.aborted) throw error;
      } finally {
        clearTimeout(lastChance);
        this.#waits.delete(wait);
      }
    }
  }

  /**
   * @param failingMs how long this one has failed, which others who get tokens meanwhile do not end
   * @returns milliseconds until the next try
   */
  #judge(error: unknown, signal: AbortSignal, gaveUp: boolean, failingMs: number): number {
    if (signal.aborted) throw error;
    if (gaveUp) throw this.#outage.error ?? error;
    if (!isOutage(error)) throw error;
    this.#outage.began(error);
    if (Math.max(this.#outage.lastedMs, failingMs) >= this.#maxOutageMs) throw error;
    return error.retryAfterMs ?? RETRY_MS;
  }
}

const isOutage = (error: unknown): error is MaskinportenError =>
  isMaskinportenError(error) && error.category === 'transient' && error.retryable;
