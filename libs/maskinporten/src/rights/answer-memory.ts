import { AsyncResource } from 'node:async_hooks';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../basics/index.js';

/** How long an answer may be used. */
export interface Lifetime {
  /** Milliseconds. */
  readonly forMs: number;
  /** A "no": callers who want a fresh answer get it too. It protects Altinn and is gone in a moment. */
  readonly negative: boolean;
}

interface Remembered<T> {
  readonly value: T;
  readonly generation: number;
  readonly negative: boolean;
  readonly untilWallMs: number;
  readonly untilMonotonicMs: number;
}

interface Flight<T> {
  readonly answer: Promise<T>;
  /** What is asked after this flight has ended, for those who need an answer from after their question. */
  next: Promise<T> | undefined;
  /** Later questions have a higher one. */
  readonly generation: number;
}

/** The questions about one key that are not answered yet. */
interface Line<T> {
  /** The one that others may join. */
  current: Flight<T> | undefined;
  running: number;
  /** What was asked before this is not believed, in whatever order the answers arrive. */
  oldest: number;
}

/** Milliseconds a "yes" may be used: Altinn's own answers may be minutes old already (Altinn, access control). */
export const POSITIVE_MS = 30_000;
/** Milliseconds a "no" is repeated without asking. */
export const NEGATIVE_MS = 2_000;
/** A question to Altinn never takes longer than this, retries and tokens included. */
const DEADLINE_MS = 12_000;

/**
 * Answers of Altinn for seconds, and one question at a time per key however many ask it. Failures are not remembered.
 * Both clocks have to agree that an answer is young, as for tokens (F-102…F-104).
 */
export class AnswerMemory<T> {
  readonly #answers: LRUCache<string, Remembered<T>>;
  readonly #lines = new Map<string, Line<T>>();
  #generation = 0;
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
    const flight = this.#lines.get(key)?.current;
    if (flight === undefined) return this.#start(key, ask).answer;
    if (!fresh) return flight.answer;
    // What others have asked since this flight ended was asked after this call, too.
    const later = async (): Promise<T> => (this.#lines.get(key)?.current ?? this.#start(key, ask)).answer;
    flight.next ??= flight.answer.then(later, later);
    return flight.next;
  }

  /** Nothing that is known or being asked now is used again. */
  forget(key: string): void {
    this.#answers.delete(key);
    const line = this.#lines.get(key);
    if (line === undefined) return;
    this.#generation += 1;
    line.oldest = this.#generation;
    line.current = undefined;
  }

  #remembered(key: string): Remembered<T> | undefined {
    const found = this.#answers.get(key);
    if (found === undefined) return undefined;
    const young = this.#clock.monotonicMs() < found.untilMonotonicMs && this.#clock.wallMs() < found.untilWallMs;
    return young ? found : undefined;
  }

  #start(key: string, ask: (signal: AbortSignal) => Promise<T>): Flight<T> {
    this.#generation += 1;
    const generation = this.#generation;
    const line = this.#lines.get(key) ?? { current: undefined, running: 0, oldest: 0 };
    const flight: Flight<T> = {
      answer: this.#outside.runInAsyncScope(async () => {
        await Promise.resolve();
        return this.#ask(key, ask, line, flight);
      }),
      next: undefined,
      generation,
    };
    line.current = flight;
    line.running += 1;
    this.#lines.set(key, line);
    return flight;
  }

  async #ask(key: string, ask: (signal: AbortSignal) => Promise<T>, line: Line<T>, flight: Flight<T>): Promise<T> {
    // Counted from the question, not from its answer: a slow answer is an old one.
    const wallMs = this.#clock.wallMs();
    const monotonicMs = this.#clock.monotonicMs();
    try {
      const value = await ask(AbortSignal.timeout(DEADLINE_MS));
      const { generation } = flight;
      if (generation >= line.oldest && generation >= (this.#answers.peek(key)?.generation ?? 0)) {
        const { forMs, negative } = this.#lifetime(value);
        this.#answers.set(key, {
          value,
          generation,
          negative,
          untilWallMs: wallMs + forMs,
          untilMonotonicMs: monotonicMs + forMs,
        });
      }
      return value;
    } finally {
      if (line.current === flight) line.current = undefined;
      line.running -= 1;
      if (line.running === 0) this.#lines.delete(key);
    }
  }
}
