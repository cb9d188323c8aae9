import { withDetails, type MaskinportenError } from '../errors/index.js';

/** Longest time a circuit stays open because of failures, in milliseconds. */
const MAX_OPEN_MS = 30_000;

interface Open {
  readonly error: MaskinportenError;
  readonly untilMs: number;
}

/**
 * Stops asking a token endpoint that has just used up a whole attempt budget. While open, callers get the last error at
 * once with `retryAfterMs`; after that one operation may probe. Only faults of the service open it: what is wrong with
 * one tenant's request says nothing about the others (F-64).
 */
export class Circuit {
  readonly #monotonicMs: () => number;
  readonly #random: () => number;
  readonly #onChange: (state: 'open' | 'closed', retryAfterMs?: number) => void;
  #failures = 0;
  #open: Open | undefined;
  #probing = false;

  constructor(options: {
    monotonicMs: () => number;
    random: () => number;
    onChange: (state: 'open' | 'closed', retryAfterMs?: number) => void;
  }) {
    this.#monotonicMs = options.monotonicMs;
    this.#random = options.random;
    this.#onChange = options.onChange;
  }

  get state(): 'open' | 'half-open' | 'closed' {
    if (this.#open === undefined) return 'closed';
    return this.#monotonicMs() < this.#open.untilMs ? 'open' : 'half-open';
  }

  /**
   * Asks for leave to send. When given, exactly one of `succeeded`, `failed` or `released` has to follow.
   *
   * @throws the last error, with `retryAfterMs`, while open or while somebody else probes.
   */
  enter(): void {
    if (this.#open === undefined) return;
    const waitMs = this.#open.untilMs - this.#monotonicMs();
    if (waitMs > 0 || this.#probing) {
      throw withDetails(this.#open.error, { retryAfterMs: Math.max(Math.ceil(waitMs), 1), attempts: 0, elapsedMs: 0 });
    }
    this.#probing = true;
  }

  succeeded(): void {
    this.#probing = false;
    this.#failures = 0;
    if (this.#open === undefined) return;
    this.#open = undefined;
    this.#onChange('closed');
  }

  /** An operation was exhausted. `retryAfterMs`: what the server asked for, if it did. */
  failed(error: MaskinportenError, retryAfterMs?: number): void {
    this.#probing = false;
    const ownMs = (0.5 + this.#random() / 2) * Math.min(MAX_OPEN_MS, 2 ** Math.min(this.#failures, 5) * 1000);
    this.#failures += 1;
    const openMs = Math.max(ownMs, retryAfterMs ?? 0);
    this.#open = { error, untilMs: this.#monotonicMs() + openMs };
    this.#onChange('open', Math.ceil(openMs));
  }

  /** The operation ended in a way that says nothing about the service. */
  released(): void {
    this.#probing = false;
  }
}
