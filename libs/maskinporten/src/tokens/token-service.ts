// Longer than 250 lines: what a caller can ask for, and the one way of a token through memory, cache and flights.
import { Listeners, momentOf, type Clock } from '../basics/index.js';
import { createError, isMaskinportenError, withDetails } from '../errors/index.js';
import { RequestMemo, type NormalisedTokenRequest, type TokenRequestInput } from '../grants/index.js';
import { credentialEnds, type KeyFileWatch, type KeyRing } from '../keys/index.js';
import { Demand, refusedKey, withRefusedKey, type Priority, type TokenEndpoint } from '../token-endpoint/index.js';
import { ForcedRefreshes } from './forced-refresh.js';
import type { MaskinportenToken } from './maskinporten-token.js';
import { PermanentErrors } from './permanent-errors.js';
import { TokenCache } from './token-cache.js';
import { DEFAULT_REFRESH_WINDOW, type RefreshWindow, type TokenEntry } from './token-entry.js';
import type { TokenEvent, TokenEventListener } from './token-events.js';
import type { TokenExchanger } from './token-exchanger.js';
import type { TokenServiceStatus } from './token-service-status.js';
import { TokenFlights, type Flight } from './token-flights.js';
import { closedError, endedError, obtained, refusal, unexpectedError } from './token-outcomes.js';
import { SharedTokens } from './shared-tokens.js';
import { TokenSource, type Fetched } from './token-source.js';
import type { TokenStore } from './token-store.js';
import { refuseAborted, wait } from './wait.js';

/** Tokens kept per client by default. */
export const DEFAULT_MAX_ENTRIES = 10_000;

export interface GetTokenOptions {
  /** Ends this caller's wait; the request goes on for others who want the same token, and its result is cached. */
  readonly signal?: AbortSignal | undefined;
  /** Get a new token although the cached one is usable; at most once per five seconds and request. Default false. */
  readonly forceRefresh?: boolean;
  /**
   * `batch` for work that may take its time: it leaves connections to `interactive` callers, and waits out an outage of
   * Maskinporten instead of failing. Default `interactive`.
   */
  readonly priority?: Priority;
}

export interface TokenServiceParts {
  readonly clientId: string;
  readonly endpoint: TokenEndpoint;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: Listeners<[event: TokenEvent]>;
  readonly ownOrganisation?: string | undefined;
  readonly exchanger?: TokenExchanger | undefined;
  readonly store?: TokenStore | undefined;
  readonly maxEntries?: number | undefined;
  readonly refreshWindow?: RefreshWindow | undefined;
  /** Looks at the key files for what is new in them; closed with the service. */
  readonly keyFiles: readonly Pick<KeyFileWatch, 'failure' | 'close'>[];
  /** Called by `close` when nothing is in flight any more. */
  readonly onClose: () => Promise<void>;
}

/**
 * Gives access tokens: cached while they are usable, refreshed in the background while they are used, fetched once
 * however many ask.
 *
 * @example
 * const token = await tokens.getToken({ scopes: 'altinn:broker.read' });
 */
export class MaskinportenTokenService {
  readonly clientId: string;
  readonly #parts: TokenServiceParts;
  readonly #memo: RequestMemo;
  readonly #cache: TokenCache;
  readonly #errors: PermanentErrors;
  readonly #forced: ForcedRefreshes;
  readonly #source: TokenSource;
  readonly #shared: SharedTokens | undefined;
  readonly #flights = new TokenFlights();
  readonly #requestOf = new WeakMap<MaskinportenToken, NormalisedTokenRequest>();
  readonly #stopListeningToKeys: () => void;
  /** Identities of keys that were given up and whose tokens are still in the cache. */
  readonly #retired = new Set<string>();
  /** Those whose tokens have left the cache. */
  readonly #givenUp = new Set<string>();
  #closing: Promise<void> | undefined;
  #hits = 0;
  #waits = 0;
  #refreshes = 0;
  #evictions = 0;

  constructor(parts: TokenServiceParts) {
    const { clock, random, maxEntries = DEFAULT_MAX_ENTRIES } = parts;
    const monotonicMs = (): number => clock.monotonicMs();
    this.clientId = parts.clientId;
    this.#parts = parts;
    this.#memo = new RequestMemo({ ownOrganisation: parts.ownOrganisation }, maxEntries * 2);
    this.#cache = new TokenCache({
      maxEntries,
      clock,
      onEvict: ({ token: { scopes } }) => this.#reportEviction(scopes, maxEntries),
      onEmpty: () => this.#memo.clear(),
    });
    this.#errors = new PermanentErrors({ maxEntries, monotonicMs, random, currentKey: () => parts.keys.current });
    this.#forced = new ForcedRefreshes({ maxEntries, monotonicMs });
    const { endpoint, store } = parts;
    this.#shared =
      store &&
      new SharedTokens({
        store,
        issuer: endpoint.issuer.identifier,
        clientId: parts.clientId,
        clock,
        serverClock: endpoint.serverClock,
        random,
        events: parts.events,
      });
    this.#source = new TokenSource({
      shared: this.#shared,
      isGivenUp: (identity) => this.#givenUp.has(identity) && identity !== parts.keys.current.identity,
      serverNow: () => endpoint.serverClock.now(),
      endpoint: parts.endpoint,
      exchanger: parts.exchanger,
      clock,
      random,
      window: parts.refreshWindow ?? DEFAULT_REFRESH_WINDOW,
      maxExchanges: parts.endpoint.connections.max,
      baseToken: async (request, demand) => this.#getToken(request, { priority: demand.priority }, demand),
    });
    this.#stopListeningToKeys = parts.keys.onChange(({ retired }) => {
      this.#errors.clear();
      if (retired !== undefined) this.#retired.add(retired.identity);
    });
  }

  /**
   * A usable token for `request`. A cached one comes at once; otherwise all callers who want the same token share one
   * request and its outcome.
   *
   * @throws TokenRequestInvalidError (`MP_REQUEST`) for a malformed request; nothing is sent.
   * @throws MaskinportenError of the fault matrix when no token can be had; OperationAbortedError when `signal` fires.
   */
  // Not async: an extra async function would be a third of the cost of a hit.
  // oxlint-disable-next-line typescript/promise-function-async
  getToken(request: TokenRequestInput, options?: GetTokenOptions): Promise<MaskinportenToken> {
    let normalised: NormalisedTokenRequest;
    try {
      normalised = this.#memo.resolve(request);
    } catch (error) {
      return Promise.reject(error);
    }
    if (options === undefined) {
      const entry = this.#usable(normalised);
      if (entry !== undefined) return entry.settled;
    }
    return this.#getToken(normalised, options);
  }

  /** The cached token if it is usable now. Starts a background refresh when one is due; never waits and never throws. */
  peek(request: NormalisedTokenRequest): MaskinportenToken | undefined {
    return this.#usable(request)?.token;
  }

  /**
   * Never hand out this token again. A request that is on its way to refresh it does not bring its result into the
   * cache: the next caller gets a token that was asked for after this call.
   */
  invalidate(token: MaskinportenToken): void {
    const request = this.#requestOf.get(token);
    if (request === undefined) return;
    this.#drop(request, token);
    if (request.exchange !== undefined) {
      // The exchanged token was only as good as the one it came from.
      const base = request.withoutExchange();
      const entry = this.#cache.get(base);
      if (entry !== undefined) this.#drop(base, entry.token);
    }
  }

  /**
   * Another token in place of one that an API has just refused with 401.
   *
   * @returns undefined when the request was already refreshed by force within the last five seconds: the API would
   *   refuse the next one too, so the caller should pass its 401 on.
   */
  async renew(
    refused: MaskinportenToken,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<MaskinportenToken | undefined> {
    const request = this.#requestOf.get(refused);
    if (request === undefined) return undefined;
    const current = this.#cache.get(request);
    // A token that is not (or no longer) in the cache counts too, unless its successor is already on its way.
    const isCurrent = current?.token === refused;
    if (isCurrent || (current === undefined && this.#flights.get(request.canonical) === undefined)) {
      if (!this.#forced.allow(request.canonical)) return undefined;
      this.invalidate(refused);
    }
    return this.getToken(request, options);
  }

  /** @returns a function that stops listening */
  onEvent(listener: TokenEventListener): () => void {
    return this.#parts.events.add(listener);
  }

  /** What the service knows about itself, made when it is read. */
  get status(): TokenServiceStatus {
    const { endpoint, keys, events, keyFiles } = this.#parts;
    const { current } = keys;
    return {
      clientId: this.clientId,
      issuer: { identifier: endpoint.issuer.identifier, ...endpoint.issuer.status },
      clock: { state: endpoint.serverClock.state, offsetMs: endpoint.serverClock.measuredOffsetMs },
      circuits: { plain: endpoint.circuitState('plain'), 'system-user': endpoint.circuitState('system-user') },
      key: {
        ...(current.kid === undefined ? {} : { kid: current.kid }),
        identity: current.identity,
        ends: credentialEnds(current),
        fallback: keys.fallback,
        reloadFailures: keyFiles.flatMap(({ failure }) =>
          failure === undefined ? [] : [{ field: failure.field, reason: failure.error.message }],
        ),
      },
      connections: endpoint.connections,
      cachedTokens: this.#cache.size,
      ...(this.#shared === undefined ? {} : { store: this.#shared.status }),
      counts: {
        hits: this.#hits,
        waits: this.#waits,
        refreshes: this.#refreshes,
        evictions: this.#evictions,
        listenerFailures: events.failures,
      },
    };
  }

  /**
   * Reads the issuer's public metadata now, and learns the server's time from the answer. No grant and no token is sent.
   *
   * @throws MaskinportenError of the fault matrix; OperationAbortedError when `signal` fires.
   */
  async checkIssuer(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#parts.endpoint.issuer.refresh(options);
  }

  /** Number of tokens in the cache; for metrics and tests. */
  get cachedTokens(): number {
    return this.#cache.size;
  }

  /**
   * Starts no more requests, lets those in flight finish within their deadline, and closes the connections. Tokens that
   * are still usable are handed out until the end, so that calls being served can finish.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stopListeningToKeys();
    for (const file of this.#parts.keyFiles) file.close();
    this.#parts.endpoint.close();
    await this.#flights.close();
    await this.#shared?.close();
    await this.#parts.onClose();
  }

  /** @param dependent a request that needs this token first, and makes it as urgent as itself */
  async #getToken(
    request: NormalisedTokenRequest,
    options: GetTokenOptions | undefined,
    dependent?: Demand,
  ): Promise<MaskinportenToken> {
    const signal = own(options, 'signal');
    const priority = checkPriority(own(options, 'priority'));
    refuseAborted(signal);
    const { canonical } = request;
    const forced = own(options, 'forceRefresh') === true && this.#forced.allow(canonical);
    if (forced) this.#shared?.forget(request);
    if (!forced) {
      const entry = this.#usable(request);
      if (entry !== undefined) return entry.token;
      const remembered = this.#errors.get(canonical);
      if (remembered !== undefined) {
        throw withRefusedKey(withDetails(remembered, { attempts: 0, elapsedMs: 0 }), refusedKey(remembered));
      }
    }
    const flight = this.#flights.get(canonical) ?? this.#start(request, new Demand(priority));
    // A refresh may take longer than somebody who waits does.
    const deadlineMs = flight.refresh ? this.#parts.endpoint.deadlineMs : undefined;
    if (dependent === undefined) flight.demand.join(priority);
    else dependent.dependOn(flight.demand);
    this.#waits += 1;
    return wait(flight, signal, deadlineMs);
  }

  #usable(request: NormalisedTokenRequest): TokenEntry | undefined {
    const entry = this.#cache.get(request);
    if (entry === undefined) return undefined;
    const state = entry.stateAt(this.#parts.clock);
    if (state === 'unusable') return undefined;
    if (state === 'refresh') this.#refresh(request, entry);
    this.#hits += 1;
    return entry;
  }

  /** Nobody waits for it; its failure is an event, and the callers go on with the token they have (F-132). */
  #refresh(request: NormalisedTokenRequest, entry: TokenEntry): void {
    const { canonical } = request;
    if (this.#closing !== undefined || this.#flights.get(canonical) !== undefined) return;
    // What was refused for good is not asked for again while that is remembered, usable token or not.
    if (this.#errors.get(canonical) !== undefined) return;
    const { clock, random } = this.#parts;
    this.#refreshes += 1;
    this.#start(request, new Demand('interactive', true)).token.catch(() => {
      entry.postponeRefresh(momentOf(clock), random);
    });
  }

  #start(request: NormalisedTokenRequest, demand: Demand): Flight {
    if (this.#closing !== undefined) throw closedError();
    return this.#flights.start(request.canonical, demand, async (flight) => this.#fly(request, flight));
  }

  async #fly(request: NormalisedTokenRequest, flight: Flight): Promise<MaskinportenToken> {
    const { demand, refresh: background } = flight;
    try {
      const fetched = await this.#source.fetch(request, demand, this.#cache.get(request)?.token);
      this.#keep(request, fetched, flight);
      // From the shared store: nobody was asked for it.
      if (fetched.attempts > 0) this.#parts.events.tell(obtained(request, fetched, background));
      return fetched.entry.token;
    } catch (error) {
      const failure = isMaskinportenError(error) ? error : unexpectedError();
      if (!flight.detached) this.#errors.remember(request.canonical, failure);
      // An open circuit has told so itself; saying it again for every call would bury the log.
      if (failure.attempts !== 0) {
        this.#parts.events.tell(refusal(request, failure, background));
      }
      throw failure;
    }
  }

  #keep(request: NormalisedTokenRequest, { entry, cacheable }: Fetched, flight: Flight): void {
    const { clock } = this.#parts;
    if (entry.hasEnded(clock)) throw endedError();
    this.#requestOf.set(entry.token, request);
    if (entry.keyIdentity === this.#parts.keys.current.identity) this.#dropRetired();
    if (flight.detached) return;
    this.#errors.forget(request.canonical);
    if (cacheable && entry.isUsable(clock)) this.#cache.set(request, entry);
  }

  /** F-141: each is an event; the log says it once, with the setting to raise. */
  #reportEviction(scopes: readonly string[], maxEntries: number): void {
    const { events } = this.#parts;
    this.#evictions += 1;
    events.tell({ type: 'token-evicted', scopes, maxEntries });
    if (this.#evictions > 1) return;
    const reason =
      `More than ${maxEntries} tokens are in use at a time, so usable ones are dropped and asked for again. ` +
      'Raise tokens.maxEntries.';
    events.tell({ type: 'warning', field: 'tokens.maxEntries', reason });
  }

  /** Called when the new key has proved itself: until then the tokens of the old one may be all there is. */
  #dropRetired(): void {
    for (const identity of this.#retired) {
      this.#cache.dropKey(identity);
      this.#givenUp.add(identity);
    }
    this.#retired.clear();
  }

  #drop(request: NormalisedTokenRequest, token: MaskinportenToken): void {
    const entry = this.#cache.get(request);
    if (entry !== undefined && entry.token !== token) return;
    this.#cache.delete(request);
    this.#shared?.forget(request);
    if (entry !== undefined) this.#flights.detach(request.canonical);
  }
}

/** @throws TokenRequestInvalidError (`MP_REQUEST`) for anything that is no priority. */
export function checkPriority(priority: unknown): Priority {
  if (priority === undefined || priority === 'interactive') return 'interactive';
  if (priority === 'batch') return 'batch';
  throw createError('MP_REQUEST', { message: "priority must be 'interactive' or 'batch'.", field: 'priority' });
}

/** Reads an own property only: a polluted prototype must not switch anything on (T-66). */
function own<K extends keyof GetTokenOptions>(
  options: GetTokenOptions | undefined,
  name: K,
): GetTokenOptions[K] | undefined {
  return options !== undefined && Object.hasOwn(options, name) ? options[name] : undefined;
}
