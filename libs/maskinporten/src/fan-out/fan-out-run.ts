import { AsyncResource } from 'node:async_hooks';
import { setMaxListeners } from 'node:events';
import { onAbort } from '../basics/index.js';
import { createError } from '../errors/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';
import type { MaskinportenToken } from '../tokens/index.js';
import type { FanOutOutcome, FanOutWork } from './fan-out-options.js';

export interface FanOutRunOptions<Item, Value> {
  readonly items: Iterable<Item> | AsyncIterable<Item>;
  readonly request: (item: Item) => NormalisedTokenRequest;
  readonly token: (request: NormalisedTokenRequest, signal: AbortSignal) => Promise<MaskinportenToken>;
  /** Runs the work in the context of its token. */
  readonly run: (request: NormalisedTokenRequest, work: () => Promise<Value>) => Promise<Value>;
  readonly work: FanOutWork<Item, Value>;
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
  readonly onChange: () => void;
}

interface Prepared<Item> {
  readonly item: Item;
  readonly request: NormalisedTokenRequest;
  readonly token: MaskinportenToken;
}

/** An item for which no token could be had. */
interface Refused<Item> {
  readonly item: Item;
  readonly token?: undefined;
  readonly error: unknown;
}

/** The life, in milliseconds, that a token must have left when the work begins. */
const LEAST_LIFE_MS = 5_000;

/**
 * One run over many items. At most `concurrency` are worked on or wait to be read, and for as many more the token is
 * fetched ahead; everything else stays in the source.
 */
export class FanOutRun<Item, Value> {
  readonly #options: FanOutRunOptions<Item, Value>;
  readonly #source: Iterator<Item> | AsyncIterator<Item>;
  /** The run is driven by whatever ends first; the work belongs to the one who began the run. */
  readonly #caller = new AsyncResource('MaskinportenFanOut');
  readonly #abort = new AbortController();
  readonly #ready: (Prepared<Item> | Refused<Item>)[] = [];
  readonly #outcomes: FanOutOutcome<Item, Value>[] = [];
  #pulling = false;
  #preparing = 0;
  #sourceEnded = false;
  #sourceError: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;
  running = 0;
  done = 0;
  failed = 0;

  constructor(options: FanOutRunOptions<Item, Value>) {
    this.#options = options;
    const { items } = options;
    // Every piece of work listens to it, with as many calls as it makes.
    setMaxListeners(0, this.#abort.signal);
    this.#source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  }

  /** @throws what the source throws, after what runs has been handed over; MP_ABORTED when the signal fires, likewise */
  async *outcomes(): AsyncGenerator<FanOutOutcome<Item, Value>, void, undefined> {
    const { signal } = this.#options;
    const release = signal && onAbort(signal, () => this.#stop());
    if (signal?.aborted === true) this.#stop();
    try {
      for (;;) {
        this.#advance();
        const outcome = this.#outcomes.shift();
        if (outcome !== undefined) {
          yield outcome;
        } else if (this.#isOver()) {
          break;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
      if (this.#sourceError !== undefined) throw this.#sourceError.error;
      if (signal?.aborted === true) throw aborted(this.done + this.failed);
    } finally {
      release?.();
      await this.#end();
    }
  }

  #isOver(): boolean {
    const nothingRuns = this.running === 0 && this.#preparing === 0;
    return nothingRuns && (this.#abort.signal.aborted || (this.#sourceEnded && this.#ready.length === 0));
  }

  /** Begins what there is room for. */
  #advance(): void {
    const { concurrency } = this.#options;
    if (this.#abort.signal.aborted) return;
    while (this.running + this.#outcomes.length < concurrency) {
      const next = this.#ready.shift();
      if (next === undefined) break;
      if (next.token === undefined) this.#finish({ item: next.item, status: 'failed', error: next.error });
      else void this.#workOn(next);
    }
    if (!this.#pulling && !this.#sourceEnded && this.#preparing + this.#ready.length < concurrency) void this.#pull();
  }

  async #pull(): Promise<void> {
    this.#pulling = true;
    try {
      const next = await this.#caller.runInAsyncScope(() => this.#source.next());
      if (next.done === true) this.#sourceEnded = true;
      else if (!this.#abort.signal.aborted) void this.#prepare(next.value);
    } catch (error) {
      this.#sourceEnded = true;
      this.#sourceError = { error };
    }
    this.#pulling = false;
    this.#changed();
  }

  async #prepare(item: Item): Promise<void> {
    this.#preparing += 1;
    try {
      const request = this.#caller.runInAsyncScope(() => this.#options.request(item));
      const token = await this.#options.token(request, this.#abort.signal);
      this.#ready.push({ item, request, token });
    } catch (error) {
      // What had not begun when the run was ended has not failed.
      if (!this.#abort.signal.aborted) this.#ready.push({ item, error });
    }
    this.#preparing -= 1;
    this.#changed();
  }

  async #workOn({ item, request, token }: Prepared<Item>): Promise<void> {
    const { run, work } = this.#options;
    const { signal } = this.#abort;
    let begun = false;
    this.running += 1;
    let outcome: FanOutOutcome<Item, Value> | undefined;
    try {
      // It may have been fetched long ago: the work before it takes its time, and so does a slow reader.
      const fresh = endsSoon(token) ? await this.#options.token(request, signal) : token;
      const context = Object.freeze({ token: fresh, signal });
      begun = true;
      const value = await this.#caller.runInAsyncScope(() => run(request, async () => work(item, context)));
      outcome = { item, status: 'done', value };
    } catch (error) {
      if (begun || !signal.aborted) outcome = { item, status: 'failed', error };
    }
    this.running -= 1;
    if (outcome !== undefined) this.#finish(outcome);
    this.#changed();
  }

  #finish(outcome: FanOutOutcome<Item, Value>): void {
    this[outcome.status] += 1;
    this.#outcomes.push(outcome);
    this.#options.onChange();
  }

  /** What ended may make room for something else, before anybody reads the outcome. */
  #changed(): void {
    this.#advance();
    this.#wake();
  }

  #stop(): void {
    this.#abort.abort();
    this.#wake();
  }

  async #end(): Promise<void> {
    this.#stop();
    while (this.running > 0 || this.#preparing > 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    // A source that is being asked answers that first, and need never do so.
    const closing = this.#sourceEnded ? undefined : Promise.resolve(this.#source.return?.());
    if (this.#pulling) closing?.catch(() => undefined);
    else await closing?.catch(() => undefined);
    this.#caller.emitDestroy();
  }
}

const endsSoon = ({ expiresAt }: MaskinportenToken): boolean => expiresAt.getTime() - Date.now() < LEAST_LIFE_MS;

const aborted = (finished: number): Error =>
  createError('MP_ABORTED', { message: `The run was ended by its signal after ${finished} items.` });
