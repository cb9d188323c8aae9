// Longer than 250 lines: deadline, lock and marks of refusals guard each command of the store together.
import { setTimeout as delay } from 'node:timers/promises';
import { beforeDeadline, isRecord, type Clock, type Listeners } from '../basics/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';
import type { ServerClock } from '../issuer/index.js';
import { ConcurrencyGate } from '../keys/index.js';
import { StoreBreaker } from './store-breaker.js';
import type { TokenEvent } from './token-events.js';
import { TokenStoreRefusal, type TokenStore } from './token-store.js';

/** How often a look into the shared store ended how. */
export interface TokenStoreStatus {
  readonly state: 'available' | 'unavailable';
  readonly counts: Readonly<Record<'hit' | 'miss' | 'refused' | 'unavailable', number>>;
}

/** What is kept of a token. */
export interface StoredToken {
  readonly value: string;
  readonly scopes: readonly string[];
  /** Server time in milliseconds at which its life began and ends. */
  readonly startMs: number;
  readonly endMs: number;
  readonly jti: string;
  readonly kid: string | undefined;
  readonly keyIdentity: string;
}

export interface SharedTokensOptions {
  readonly store: TokenStore;
  readonly issuer: string;
  readonly clientId: string;
  readonly clock: Clock;
  readonly serverClock: ServerClock;
  readonly random: () => number;
  readonly events: Listeners<[event: TokenEvent]>;
}

const DEFAULT_TIMEOUT_MS = 50;
/** Commands in flight; a crowd waits here, at no cost to the deadline. */
const MAX_COMMANDS = 32;
const LOCK_MS = 3_000;
/** Milliseconds that a replica waits for the token that another one fetches (F-96). */
const MAX_POLL_MS = 1_000;
/** Milliseconds that the end of the process waits for the store. */
const CLOSE_MS = 1_000;
/** A token is not kept to its last moment. */
const MARGIN_MS = 1_000;
/** Answers of a Redis that takes no writes for now: reading may go on (F-93, F-94). */
const NO_WRITES = /^(?:READONLY|OOM|MISCONF|NOREPLICAS)\b/;

/**
 * The tokens of all replicas, read when this process has none and written when it has got one. Every command has a
 * deadline of its own, because clients of Redis were seen to hang, and a store that fails is left alone (F-91).
 */
export class SharedTokens {
  readonly #options: SharedTokensOptions;
  readonly #timeoutMs: number;
  readonly #gate = new ConcurrencyGate(MAX_COMMANDS);
  readonly #all: StoreBreaker;
  readonly #writes: StoreBreaker;
  readonly #counts = { hit: 0, miss: 0, refused: 0, unavailable: 0 };
  /**
   * Requests whose stored token an API has refused, each with a mark of that refusal: not read again before a token is
   * written that was asked for after it.
   */
  readonly #stale = new Map<string, object>();
  #told: TokenStoreStatus['state'] = 'available';

  constructor(options: SharedTokensOptions) {
    this.#options = options;
    this.#timeoutMs = options.store.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const nowMs = (): number => options.clock.monotonicMs();
    this.#all = new StoreBreaker(nowMs);
    this.#writes = new StoreBreaker(nowMs);
  }

  get status(): TokenStoreStatus {
    return { state: this.#told, counts: { ...this.#counts } };
  }

  /** Tokens of a person, and those given for a consent, stay in the process. */
  static takes({ pid, consent, exchange }: NormalisedTokenRequest): boolean {
    return pid === undefined && consent === undefined && exchange === undefined;
  }

  /**
   * The token from the store, or else from Maskinporten, which one replica asks while the others wait a moment.
   *
   * @param knownJti of the token that is to be replaced
   * @param usable makes of what was stored what the caller needs; undefined when it is of no use
   */
  async fetch<T>(
    request: NormalisedTokenRequest,
    knownJti: string | undefined,
    usable: (stored: StoredToken) => T | undefined,
    obtain: () => Promise<{ readonly result: T; readonly stored: StoredToken | undefined }>,
  ): Promise<T> {
    const key = this.#keyOf(request);
    let answered = true;
    const find = async (): Promise<T | undefined> => {
      if (this.#stale.has(key)) return undefined;
      const stored = await this.#read(key);
      answered = stored !== undefined;
      if (!stored || stored.jti === knownJti || this.#stale.has(key)) return undefined;
      return usable(stored);
    };
    const refusal = this.#stale.get(key);
    const found = await find();
    if (found !== undefined) return found;
    // A store that did not answer is not asked twice for one token: that would be its deadline twice.
    if (!answered) return (await obtain()).result;
    const owner = await this.#write(async (store) => store.lock(key, LOCK_MS));
    if (owner === null && !this.#stale.has(key)) {
      const later = await this.#poll(find);
      if (later !== undefined) return later;
    }
    try {
      const { result, stored } = await obtain();
      // What was asked for before a refusal may be what was refused.
      if (stored !== undefined && this.#stale.get(key) === refusal) await this.#keep(key, stored, refusal);
      return result;
    } finally {
      if (typeof owner === 'string') void this.#write(async (store) => store.unlock(key, owner));
    }
  }

  /** An API has refused the token of this request. */
  forget(request: NormalisedTokenRequest): void {
    if (!SharedTokens.takes(request)) return;
    const key = this.#keyOf(request);
    if (this.#stale.size >= 1_000) this.#stale.clear();
    this.#stale.set(key, {});
    void this.#write(async (store) => store.delete(key));
  }

  /** Waits for the store no longer than it is worth, and does not fail with it. */
  async close(): Promise<void> {
    const { store } = this.#options;
    await beforeDeadline(async () => store.close?.(), { ms: CLOSE_MS, late }).catch(() => undefined);
  }

  #keyOf({ canonical }: NormalisedTokenRequest): string {
    return JSON.stringify([this.#options.issuer, this.#options.clientId, canonical]);
  }

  async #poll<T>(find: () => Promise<T | undefined>): Promise<T | undefined> {
    const { clock, random } = this.#options;
    const endMs = clock.monotonicMs() + MAX_POLL_MS;
    // By both clocks: one of a test stands still.
    for (let waitedMs = 0; waitedMs < MAX_POLL_MS && clock.monotonicMs() < endMs && !this.#all.open;) {
      const pauseMs = 50 + random() * 50;
      await delay(pauseMs);
      waitedMs += pauseMs;
      const found = await find();
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** @returns null when it is not there; undefined when the store did not answer */
  async #read(key: string): Promise<StoredToken | null | undefined> {
    const text = await this.#command(this.#all, async (store) => {
      try {
        return (await store.get(key)) ?? null;
      } catch (error) {
        return this.#refused(error);
      }
    });
    if (text === undefined) return undefined;
    if (text === REFUSED) return null;
    const stored = text === null ? null : parsed(text);
    const live = stored !== null && stored.endMs > this.#options.serverClock.now() ? stored : null;
    this.#counts[live === null ? 'miss' : 'hit'] += 1;
    return live;
  }

  /** @throws what is no refusal */
  #refused(error: unknown): typeof REFUSED {
    if (!(error instanceof TokenStoreRefusal)) throw error;
    this.#counts.refused += 1;
    this.#options.events.tell({ type: 'security', what: 'token-store-value-refused', detail: error.message });
    return REFUSED;
  }

  async #keep(key: string, stored: StoredToken, refusal: object | undefined): Promise<void> {
    const ttlMs = Math.floor(stored.endMs - this.#options.serverClock.now() - MARGIN_MS);
    if (ttlMs <= 0) return;
    const kept = await this.#write(async (store) => {
      await store.set(key, JSON.stringify(stored), ttlMs);
      return true;
    });
    if (kept === true && this.#stale.get(key) === refusal) this.#stale.delete(key);
  }

  async #write<T>(send: (store: TokenStore) => Promise<T>): Promise<T | undefined> {
    return this.#all.open ? undefined : this.#command(this.#writes, send);
  }

  /** @returns undefined when the store was not asked, or did not answer as it should */
  async #command<T>(breaker: StoreBreaker, send: (store: TokenStore) => Promise<T>): Promise<T | undefined> {
    return this.#gate.run(async () => {
      // The store may have failed while this one waited for its turn.
      if ((breaker === this.#writes && this.#all.open) || !breaker.enter()) {
        if (breaker === this.#all) this.#counts.unavailable += 1;
        return undefined;
      }
      try {
        const ms = this.#timeoutMs;
        const answer = await beforeDeadline(async () => send(this.#options.store), { ms, late });
        breaker.succeeded();
        if (breaker === this.#writes || !this.#writes.open) this.#tell('available');
        return answer;
      } catch (error) {
        this.#failed(breaker, error);
        return undefined;
      }
    });
  }

  #failed(breaker: StoreBreaker, error: unknown): void {
    this.#counts.unavailable += 1;
    const reason = error instanceof Error ? error.message.slice(0, 200) : 'unknown';
    if (NO_WRITES.test(reason)) {
      this.#all.succeeded();
      this.#writes.failed(true);
    } else {
      if (breaker === this.#writes) breaker.succeeded();
      this.#all.failed();
    }
    if (this.#all.open || this.#writes.open) this.#tell('unavailable', /^[A-Z]+/.exec(reason)?.[0] ?? 'no answer');
  }

  /** One line for each change, not one for each command. */
  #tell(state: TokenStoreStatus['state'], reason?: string): void {
    if (state === this.#told) return;
    this.#told = state;
    this.#options.events.tell({ type: 'token-store', state, reason });
  }
}

/** What was stored is not to be trusted; as good as nothing. */
const REFUSED = Symbol('refused');

const late = (): Error => new Error('TIMEOUT: the store did not answer in time');

function parsed(text: string): StoredToken | null {
  try {
    const json: unknown = JSON.parse(text);
    return isRecord(json) ? (json as unknown as StoredToken) : null;
  } catch {
    return null;
  }
}
