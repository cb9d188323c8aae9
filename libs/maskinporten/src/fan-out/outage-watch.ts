import type { MaskinportenError } from '../errors/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';
import type { TokenEvent } from '../tokens/index.js';

/**
 * Knows whether Maskinporten gives tokens to one client at the moment. It listens to the token service, because batch
 * requests do not fail in an outage: they wait in the queue.
 */
export class OutageWatch {
  /** Kinds of requests that it is about: system users can be down alone. */
  readonly #kinds = new Set<NormalisedTokenRequest['kind']>();
  readonly #nowMs: () => number;
  readonly #onChange: () => void;
  #lastError: MaskinportenError | undefined;
  #since: { readonly date: Date; readonly ms: number } | undefined;
  #pausedMs = 0;

  constructor(options: { readonly nowMs: () => number; readonly onChange: () => void }) {
    this.#nowMs = options.nowMs;
    this.#onChange = options.onChange;
  }

  /** This kind of token is asked for. */
  add(kind: NormalisedTokenRequest['kind']): void {
    this.#kinds.add(kind);
  }

  readonly listen = (event: TokenEvent): void => {
    if (!('kind' in event) || !this.#kinds.has(event.kind)) return;
    if (event.type === 'token-obtained') this.ended();
    else if (event.type === 'attempt-failed' && event.error.category === 'transient') {
      this.#lastError = event.error;
      if ((event.error.retryAfterMs ?? 0) > 0) this.began(event.error);
    } else if (event.type === 'circuit' && event.state === 'open') this.began(this.#lastError);
  };

  began(error: MaskinportenError | undefined): void {
    this.#lastError = error ?? this.#lastError;
    if (this.#since !== undefined) return;
    this.#since = { date: new Date(), ms: this.#nowMs() };
    this.#onChange();
  }

  ended(): void {
    if (this.#since === undefined) return;
    this.#pausedMs += this.#nowMs() - this.#since.ms;
    this.#since = undefined;
    this.#onChange();
  }

  /** Why it is down, as far as that is known. */
  get error(): MaskinportenError | undefined {
    return this.#lastError;
  }

  get since(): Date | undefined {
    return this.#since?.date;
  }

  /** Milliseconds that the outage has lasted; 0 when there is none. */
  get lastedMs(): number {
    return this.#since === undefined ? 0 : this.#nowMs() - this.#since.ms;
  }

  /** Milliseconds of all outages together. */
  get pausedMs(): number {
    return this.#pausedMs + this.lastedMs;
  }
}
