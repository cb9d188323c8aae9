import { AsyncResource } from 'node:async_hooks';
import { isMaskinportenError } from '../../errors/index.js';
import { momentOf, type Clock, type Moment } from '../../basics/index.js';
import type { HttpTransport } from '../../http/index.js';
import type { ResolvedIssuer } from '../../issuer/index.js';
import { KeysProblem, readJwksUri } from './jwks-uri.js';
import { readPublishedKeys, type PublishedKey, type PublishedKeys } from './published-keys.js';
import { TokenRefusal } from './token-refusal.js';

export interface IssuerKeysOptions {
  readonly issuer: ResolvedIssuer;
  /** Configured by hand: metadata is not read. */
  readonly jwksUri?: string | undefined;
  readonly transport: Pick<HttpTransport, 'send'>;
  readonly clock: Clock;
  /** Called when the state changes, never more often. */
  readonly onState?: ((status: KeysStatus) => void) | undefined;
}

/**
 * `unknown`: nobody has asked for a key yet. `degraded`: the issuer has not answered for an hour, and its last keys are
 * used. `unavailable`: there are no keys, or none that are younger than a day; every token gets 503.
 */
export type KeysState = 'unknown' | 'up' | 'degraded' | 'unavailable';

export interface KeysStatus {
  readonly state: KeysState;
  /** How many keys are known. */
  readonly keys: number;
  /** When the issuer last gave its keys. */
  readonly fetchedAt?: Date;
  /** Why the last fetch failed, when it did. Nothing secret. */
  readonly lastError?: string;
}

interface Loaded {
  readonly keys: PublishedKeys;
  readonly at: Moment;
}

/** Digdir asks not to be called for each token; keys are published well before they are used. */
const REFRESH_AFTER_MS = 30 * 60_000;
const DEGRADED_AFTER_MS = 60 * 60_000;
/** F-73: keys that the issuer has not confirmed for a day are not believed any more. */
const USABLE_FOR_MS = 24 * 60 * 60_000;
/** F-75, F-76: also the pause after a failed refresh. */
const COOLDOWN_MS = 30_000;
/** While there are no keys everybody gets 503, so the issuer is asked sooner. */
const COOLDOWN_WITHOUT_KEYS_MS = 2_000;
/** F-78. */
const DEADLINE_MS = 3_000;
const MAX_BYTES = 256 * 1024;
const METADATA_AGE_MS = 12 * 60 * 60_000;

/**
 * The keys of one issuer. They are fetched when somebody needs them, once for everybody, with no timer: a background
 * refresh when they are half an hour old, one look for a `kid` that is not known per 30 seconds, and stale keys while the
 * issuer is away. jose's own remote set uses no stale keys, and others hold a lock while they fetch.
 */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  readonly #outside = new AsyncResource('MaskinportenIssuerKeys');
  #loaded: Loaded | undefined;
  #jwksUri: { readonly uri: string; readonly at: Moment } | undefined;
  #lastAttempt: Moment | undefined;
  /** Only those that known keys were refreshed by; a first load does not count. */
  #lastRefresh: Moment | undefined;
  #lastError: string | undefined;
  #flight: Promise<PublishedKeys> | undefined;
  #state: KeysState = 'unknown';

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
  }

  get status(): KeysStatus {
    return {
      state: this.#stateNow(),
      keys: this.#loaded?.keys.byKid.size ?? 0,
      ...(this.#loaded === undefined ? {} : { fetchedAt: new Date(this.#loaded.at.wallMs) }),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    };
  }

  /**
   * The keys that may be used now, without waiting: what a remembered verification is compared with. Starts a refresh
   * when one is due. The same keys are the same object, however often they are fetched.
   */
  current(): PublishedKeys | undefined {
    const loaded = this.#loaded;
    if (loaded === undefined) return undefined;
    const ageMs = this.#since(loaded.at);
    this.#noticeState();
    if (ageMs > USABLE_FOR_MS) return undefined;
    if (ageMs >= REFRESH_AFTER_MS && this.#mayRefresh()) {
      this.#refresh().catch(() => {
        // Kept in `status`; the keys in use stay in use.
      });
    }
    return loaded.keys;
  }

  /**
   * The key of that name, after at most one fetch.
   *
   * @returns undefined when the issuer does not publish it
   * @throws TokenRefusal (`keys_unavailable`) when that cannot be known now
   */
  async find(kid: string): Promise<{ readonly key: PublishedKey; readonly keys: PublishedKeys } | undefined> {
    const known = this.current();
    let keys = known ?? (await this.#load());
    if (!keys.byKid.has(kid)) {
      if (known === undefined) this.#lastRefresh = this.#now();
      else keys = await this.#lookAgain();
    }
    const key = keys.byKid.get(kid);
    return key === undefined ? undefined : { key, keys };
  }

  /** A first load, for everybody who waits for it. */
  async #load(): Promise<PublishedKeys> {
    const waitMs = this.#lastAttempt === undefined ? 0 : COOLDOWN_WITHOUT_KEYS_MS - this.#since(this.#lastAttempt);
    if (this.#flight === undefined && this.#lastError !== undefined && waitMs > 0) throw unavailable(waitMs);
    return this.#fetchOnce();
  }

  /** A `kid` that is not among the known keys may be a new one, or made up. */
  async #lookAgain(): Promise<PublishedKeys> {
    if (this.#flight !== undefined) return this.#flight;
    if (this.#mayRefresh()) return this.#refresh();
    // The issuer did not answer when it was asked, so nobody can say that the key does not exist.
    if (this.#lastError !== undefined) throw unavailable(COOLDOWN_MS);
    return this.#loaded?.keys ?? NO_KEYS;
  }

  #mayRefresh(): boolean {
    if (this.#flight !== undefined) return false;
    return this.#lastRefresh === undefined || this.#since(this.#lastRefresh) >= COOLDOWN_MS;
  }

  async #refresh(): Promise<PublishedKeys> {
    this.#lastRefresh = this.#now();
    return this.#fetchOnce();
  }

  async #fetchOnce(): Promise<PublishedKeys> {
    // The first request to come must not have its context kept alive by what all others wait for (T-44).
    this.#flight ??= this.#outside
      .runInAsyncScope(async () => this.#fetch())
      .finally(() => {
        this.#flight = undefined;
        this.#noticeState();
      });
    return this.#flight;
  }

  async #fetch(): Promise<PublishedKeys> {
    this.#lastAttempt = this.#now();
    try {
      const body = await this.#get(await this.#findJwksUri());
      const keys = readPublishedKeys(body);
      // An empty set is a fault of the issuer: it would refuse every valid token.
      if (keys === undefined) throw new KeysProblem('the document at jwks_uri holds no usable key');
      const known = this.#loaded?.keys;
      const same = known?.fingerprint === keys.fingerprint ? known : keys;
      this.#loaded = { keys: same, at: this.#lastAttempt };
      this.#lastError = undefined;
      return same;
    } catch (error) {
      // The address may have changed: it is read again before the next attempt.
      this.#jwksUri = undefined;
      this.#lastError = isMaskinportenError(error) || error instanceof KeysProblem ? error.message : 'unexpected error';
      throw unavailable(this.#loaded === undefined ? COOLDOWN_WITHOUT_KEYS_MS : COOLDOWN_MS);
    }
  }

  async #findJwksUri(): Promise<string> {
    const { jwksUri, issuer } = this.#options;
    if (jwksUri !== undefined) return jwksUri;
    const known = this.#jwksUri;
    if (known !== undefined && this.#since(known.at) < METADATA_AGE_MS) return known.uri;
    const at = this.#now();
    const uri = readJwksUri(await this.#get(issuer.metadataUrl), issuer);
    this.#jwksUri = { uri, at };
    return uri;
  }

  async #get(url: string): Promise<Buffer> {
    const { status, body } = await this.#options.transport.send({
      url,
      method: 'GET',
      headers: { accept: 'application/json' },
      deadlineMs: DEADLINE_MS,
      maxBytes: MAX_BYTES,
      field: 'issuer',
    });
    if (status !== 200) throw new KeysProblem(`${new URL(url).host} answered with status ${status}`);
    return body;
  }

  #stateNow(): KeysState {
    if (this.#loaded === undefined) return this.#lastError === undefined ? 'unknown' : 'unavailable';
    const ageMs = this.#since(this.#loaded.at);
    if (ageMs > USABLE_FOR_MS) return 'unavailable';
    return ageMs > DEGRADED_AFTER_MS && this.#lastError !== undefined ? 'degraded' : 'up';
  }

  #noticeState(): void {
    const state = this.#stateNow();
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState?.(this.status);
  }

  #now(): Moment {
    return momentOf(this.#options.clock);
  }

  /** The longer of the two: a wall clock that was set back makes nothing younger, and sleep stops only the other one. */
  #since(then: Moment): number {
    const now = this.#now();
    return Math.max(now.wallMs - then.wallMs, now.monotonicMs - then.monotonicMs);
  }
}

const NO_KEYS: PublishedKeys = { byKid: new Map(), fingerprint: '' };

const unavailable = (retryAfterMs: number): TokenRefusal =>
  new TokenRefusal('keys_unavailable', 'The keys of the issuer could not be fetched.', retryAfterMs);
