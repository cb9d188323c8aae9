import { AsyncResource } from 'node:async_hooks';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../issuer/index.js';

/** How long an answer may be used. */
export interface Lifetime {
  /** Milliseconds. */
  readonly forMs: number;
  /** A "no": also those who want a fresh answer get it, since it protects Altinn and is gone in a moment. */
  readonly negative: boolean;
}

interface Remembered<T> {
  readonly value: T;
  readonly negative: boolean;
  readonly untilWallMs: number;
  readonly untilMonotonicMs: number;
}

interface Flight<T> {
  readonly answer: Promise<T>;
  /** What is asked after this flight has ended, for those who need an answer from after their question. */
  next: Promise<T> | undefined;
  detached: boolean;
}

/** A question to Altinn never takes longer than this, retries and tokens included. */
const DEADLINE_MS = 12_000;

/**
 * Answers of Altinn for seconds, and one question at a time per key however many ask it. Failures are not remembered.
 * Both clocks have to agree that an answer is young, as for tokens (F-102…F-104).
 */
export class AnswerMemory<T> {
  readonly #answers: LRUCache<string, Remembered<T>>;
  readonly #flights = new Map<string, Flight<T>>();
  readonly #clock: Clock;
  readonly #lifetime: (answer: T) => Lifetime;
  /** A shared question must not run in the context of the request that happened to come first (T-44). */
  readonly #outside = new AsyncResource('MaskinportenDelegation');

  constructor(options: { clock: Clock; maxEntries: number; lifetime: (answer: T) => Lifetime }) {
    this.#answers = new LRUCache({ max: options.maxEntries });
    this.#clock = options.clock;
    this.#lifetime = options.lifetime;
  }

  /**
   * @param ask gets a signal that ends it when it takes too long
   * @param fresh a remembered "yes" does not count, nor does one whose question was sent before this call
   */
  async get(key: string, ask: (signal: AbortSignal) => Promise<T>, fresh: boolean): Promise<T> {
    const remembered = this.#remembered(key);
    if (remembered !== undefined && (!fresh || remembered.negative)) return remembered.value;
    const flight = this.#flights.get(key);
    if (flight === undefined) return this.#start(key, ask).answer;
    if (!fresh) return flight.answer;
    const later = async (): Promise<T> => this.#start(key, ask).answer;
    flight.next ??= flight.answer.then(later, later);
    return flight.next;
  }

  /** Nothing that is known or being asked now is used again. */
  forget(key: string): void {
    this.#answers.delete(key);
    const flight = this.#flights.get(key);
    if (flight === undefined) return;
    flight.detached = true;
    this.#flights.delete(key);
  }

  #remembered(key: string): Remembered<T> | undefined {
    const found = this.#answers.get(key);
    if (found === undefined) return undefined;
    const young = this.#clock.monotonicMs() < found.untilMonotonicMs && this.#clock.wallMs() < found.untilWallMs;
    return young ? found : undefined;
  }

  #start(key: string, ask: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const flight: Flight<T> = {
      answer: this.#outside.runInAsyncScope(async () => {
        await Promise.resolve();
        return this.#ask(key, ask, flight);
      }),
      next: undefined,
      detached: false,
    };
    this.#flights.set(key, flight);
    return flight;
  }

  async #ask(key: string, ask: (signal: AbortSignal) => Promise<T>, flight: Flight<T>): Promise<T> {
    // Counted from the question, not from its answer: a slow answer is an old one.
    const wallMs = this.#clock.wallMs();
    const monotonicMs = this.#clock.monotonicMs();
    try {
      const value = await ask(AbortSignal.timeout(DEADLINE_MS));
      if (!flight.detached) {
        const { forMs, negative } = this.#lifetime(value);
        this.#answers.set(key, {
          value,
          negative,
          untilWallMs: wallMs + forMs,
          untilMonotonicMs: monotonicMs + forMs,
        });
      }
      return value;
    } finally {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    }
  }
}
