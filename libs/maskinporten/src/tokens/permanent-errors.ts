import { LRUCache } from 'lru-cache';
import type { ErrorCategory, MaskinportenError } from '../errors/index.js';
import type { SigningKey } from '../keys/index.js';
import { refusedKey } from '../token-endpoint/index.js';

/**
 * How long a refusal is remembered, in milliseconds. Nothing but a change made by somebody ends a permanent error, so it
 * is not asked again for 30 s; what a customer is about to fix (delegation, system user) is asked sooner. An answer that
 * was no token response is remembered just long enough that a crowd of callers makes one request and not a storm.
 * Transient errors are not remembered: they have the retry quota and the circuit.
 */
const MEMORY_MS: Readonly<Record<ErrorCategory, number>> = {
  configuration: 30_000,
  'credential-expired': 30_000,
  'access-not-granted': 30_000,
  'delegation-missing': 15_000,
  'system-user': 2_000,
  protocol: 1_000,
  security: 1_000,
  clock: 1_000,
  transient: 0,
  replay: 0,
  aborted: 0,
};

/** The longest memories are spread by a fifth, so that replicas do not all ask again at once. */
function memoryMs(error: MaskinportenError, random: () => number): number {
  const ms = MEMORY_MS[error.category];
  return ms === 30_000 ? ms * (0.8 + 0.4 * random()) : ms;
}

interface Remembered {
  readonly error: MaskinportenError;
  /** The key that signed when it was refused; undefined when no grant was part of it. */
  readonly key: SigningKey | undefined;
  readonly untilMonotonicMs: number;
}

/** Refusals per request, so that a tenant without access cannot hammer the endpoint. */
export class PermanentErrors {
  readonly #byRequest: LRUCache<string, Remembered>;
  readonly #monotonicMs: () => number;
  readonly #random: () => number;
  readonly #currentKey: () => SigningKey;

  constructor(options: {
    maxEntries: number;
    monotonicMs: () => number;
    random: () => number;
    currentKey: () => SigningKey;
  }) {
    this.#byRequest = new LRUCache({ max: options.maxEntries });
    this.#monotonicMs = options.monotonicMs;
    this.#random = options.random;
    this.#currentKey = options.currentKey;
  }

  get(canonical: string): MaskinportenError | undefined {
    const remembered = this.#byRequest.get(canonical);
    if (remembered === undefined) return undefined;
    const { error, key, untilMonotonicMs } = remembered;
    if (this.#monotonicMs() < untilMonotonicMs && this.#isOfCurrentKey(key)) return error;
    this.#byRequest.delete(canonical);
    return undefined;
  }

  /** What another key was refused for, such as one whose file was replaced during the grant, says nothing any more. */
  remember(canonical: string, error: MaskinportenError): void {
    const forMs = memoryMs(error, this.#random);
    const key = refusedKey(error);
    if (forMs <= 0 || !this.#isOfCurrentKey(key)) return;
    this.#byRequest.set(canonical, { error, key, untilMonotonicMs: this.#monotonicMs() + forMs });
  }

  forget(canonical: string): void {
    this.#byRequest.delete(canonical);
  }

  clear(): void {
    this.#byRequest.clear();
  }

  #isOfCurrentKey(key: SigningKey | undefined): boolean {
    return key === undefined || key === this.#currentKey();
  }
}
