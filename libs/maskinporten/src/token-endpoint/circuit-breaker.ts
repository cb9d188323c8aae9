import { withDetails, type MaskinportenError } from '../errors/index.js';

/** Longest time a circuit stays open because of failures, in milliseconds. */
const MAX_OPEN_MS = 30_000;

interface Open {
  readonly error: MaskinportenError;
  readonly untilMs: number;
}

/** Leave to send; tells a probe from the operations that began before the circuit opened. */
export interface Pass {
  readonly probe: boolean;
}

/**
 * Stops asking a token endpoint that has just used up a whole attempt budget. While open, callers get the last error at
 * once with `retryAfterMs`; after that one operation may probe. Only faults of the service open it: what is wrong with
 * one tenant's request says nothing about the others (F-64).
 */
export class CircuitBreaker {
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

  /** True when `enter` gives leave now. */
  get admits(): boolean {
    return this.#open === undefined || (this.openForMs <= 0 && !this.#probing);
  }

  /** Milliseconds until one operation may probe; 0 or less when that is now, or when nothing is wrong. */
  get openForMs(): number {
    return this.#open === undefined ? 0 : this.#open.untilMs - this.#monotonicMs();
  }

  /**
   * Asks for leave to send. When given, exactly one of `succeeded`, `failed` or `released` has to follow.
   *
   * @throws the last error, with `retryAfterMs`, while open or while somebody else probes.
   */
  enter(): Pass {
    const refusal = this.refusal;
    if (refusal !== undefined) throw refusal;
    this.#probing = this.#open !== undefined;
    return { probe: this.#probing };
  }

  /** What `enter` throws now; undefined when it gives leave. */
  get refusal(): MaskinportenError | undefined {
    if (this.#open === undefined || this.admits) return undefined;
    const retryAfterMs = Math.max(Math.ceil(this.openForMs), 1);
    return withDetails(this.#open.error, { retryAfterMs, attempts: 0, elapsedMs: 0 });
  }

  succeeded(pass: Pass): void {
    this.released(pass);
    this.#failures = 0;
    if (this.#open === undefined) return;
    this.#open = undefined;
    this.#onChange('closed');
  }

  /** An operation was exhausted. `retryAfterMs`: what the server asked for, if it did. */
  failed(pass: Pass, error: MaskinportenError, retryAfterMs = 0): void {
    this.released(pass);
    if (this.#open !== undefined && !pass.probe) {
      // One outage fails everything that is under way: a hundred tenants who fail together are one failure, not a hundred.
      const longer = this.#monotonicMs() + retryAfterMs > this.#open.untilMs;
      if (longer && retryAfterMs > 0) this.#openFor(retryAfterMs, error);
      return;
    }
    const ownMs = (0.5 + this.#random() / 2) * Math.min(MAX_OPEN_MS, 2 ** Math.min(this.#failures, 5) * 1000);
    this.#failures += 1;
    this.#openFor(Math.max(ownMs, retryAfterMs), error);
  }

  /** The operation ended in a way that says nothing about the service. */
  released(pass: Pass): void {
    if (pass.probe) this.#probing = false;
  }

  #openFor(openMs: number, error: MaskinportenError): void {
    this.#open = { error, untilMs: this.#monotonicMs() + openMs };
    this.#onChange('open', Math.ceil(openMs));
  }
}
