import { AsyncResource } from 'node:async_hooks';
import { createError, isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import { RequestMemo, type NormalisedTokenRequest, type TokenRequestInput } from '../grants/index.js';
import type { Clock } from '../issuer/index.js';
import { credentialEnds, type KeyRing } from '../keys/index.js';
import type { TokenEndpoint } from '../token-endpoint/index.js';
import { ForcedRefreshes } from './forced-refresh.js';
import type { MaskinportenToken } from './maskinporten-token.js';
import { PermanentErrors } from './permanent-errors.js';
import { TokenCache } from './token-cache.js';
import { DEFAULT_REFRESH_WINDOW, type RefreshWindow, type TokenEntry } from './token-entry.js';
import type { TokenEventListener } from './token-events.js';
import { TokenEvents } from './token-events-emitter.js';
import type { TokenExchanger } from './token-exchanger.js';
import type { TokenServiceStatus } from './token-service-status.js';
import { TokenSource, type Fetched } from './token-source.js';
import { refuseAborted, wait } from './wait.js';

/** Tokens kept per client unless told otherwise. */
export const DEFAULT_MAX_ENTRIES = 1_000;

export interface GetTokenOptions {
  /** Ends this caller's wait; the request goes on for others who want the same token, and its result is cached. */
  readonly signal?: AbortSignal;
  /** Get a new token although the cached one is usable; at most once per five seconds and request. Default false. */
  readonly forceRefresh?: boolean;
}

export interface TokenServiceParts {
  readonly clientId: string;
  readonly endpoint: TokenEndpoint;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: TokenEvents;
  readonly ownOrganisation?: string | undefined;
  readonly exchanger?: TokenExchanger | undefined;
  readonly maxEntries?: number | undefined;
  readonly refreshWindow?: RefreshWindow | undefined;
  /** Called by `close` when nothing is in flight any more. */
  readonly onClose: () => Promise<void>;
}

/** One request to the token endpoint, shared by everybody who wants its token. */
interface Flight {
  readonly token: Promise<MaskinportenToken>;
  readonly background: boolean;
  /** Set when the request was invalidated after the flight began: its token may be what was just refused. */
  detached: boolean;
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
  readonly #flights = new Map<string, Flight>();
  readonly #requestOf = new WeakMap<MaskinportenToken, NormalisedTokenRequest>();
  /** Flights run in the context the service was made in: no caller's request data may ride along (T-44, T-45). */
  readonly #outside = new AsyncResource('MaskinportenTokenService');
  readonly #stopListeningToKeys: () => void;
  readonly #stopRefreshing = new AbortController();
  #closed = false;
  #hits = 0;
  #waits = 0;
  #refreshes = 0;

  constructor(parts: TokenServiceParts) {
    const { clock, random, maxEntries = DEFAULT_MAX_ENTRIES } = parts;
    const monotonicMs = (): number => clock.monotonicMs();
    this.clientId = parts.clientId;
    this.#parts = parts;
    this.#memo = new RequestMemo({ ownOrganisation: parts.ownOrganisation }, maxEntries * 2);
    this.#cache = new TokenCache({ maxEntries, clock });
    this.#errors = new PermanentErrors({ maxEntries, monotonicMs, random });
    this.#forced = new ForcedRefreshes({ maxEntries, monotonicMs });
    this.#source = new TokenSource({
      endpoint: parts.endpoint,
      exchanger: parts.exchanger,
      clock,
      random,
      window: parts.refreshWindow ?? DEFAULT_REFRESH_WINDOW,
      baseToken: async (request) => this.getToken(request),
    });
    this.#stopListeningToKeys = parts.keys.onChange(({ retired }) => {
      this.#errors.clear();
      this.#cache.dropKey(retired.identity);
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
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<MaskinportenToken | undefined> {
    const request = this.#requestOf.get(refused);
    if (request === undefined) return undefined;
    const current = this.#cache.get(request);
    if (current?.token === refused) {
      if (!this.#forced.allow(request.canonical)) return undefined;
      this.invalidate(refused);
    }
    return this.getToken(request, options);
  }

  /** @returns a function that stops listening */
  onEvent(listener: TokenEventListener): () => void {
    return this.#parts.events.on(listener);
  }

  /** What the service knows about itself, made when it is read. */
  get status(): TokenServiceStatus {
    const { endpoint, keys, events } = this.#parts;
    const { current, generation } = keys;
    return {
      clientId: this.clientId,
      issuer: { identifier: endpoint.issuer.identifier, ...endpoint.issuer.status },
      clock: { state: endpoint.serverClock.state, offsetMs: endpoint.serverClock.measuredOffsetMs },
      circuits: { plain: endpoint.circuitState('plain'), 'system-user': endpoint.circuitState('system-user') },
      key: {
        ...(current.kid === undefined ? {} : { kid: current.kid }),
        identity: current.identity,
        ends: credentialEnds(current),
        fallback: generation > 0,
      },
      cachedTokens: this.#cache.size,
      counts: {
        hits: this.#hits,
        waits: this.#waits,
        refreshes: this.#refreshes,
        listenerFailures: events.listenerFailures,
      },
    };
  }

  /**
   * Reads the issuer's public metadata now, and learns the server's time from the answer. No grant and no token is sent.
   *
   * @throws MaskinportenError of the fault matrix; OperationAbortedError when `signal` fires.
   */
  async checkIssuer(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
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
    if (this.#closed) return;
    this.#closed = true;
    this.#stopListeningToKeys();
    this.#stopRefreshing.abort();
    await Promise.allSettled([...this.#flights.values()].map(async ({ token }) => token));
    this.#outside.emitDestroy();
    await this.#parts.onClose();
  }

  async #getToken(request: NormalisedTokenRequest, options: GetTokenOptions | undefined): Promise<MaskinportenToken> {
    const signal = own(options, 'signal');
    refuseAborted(signal);
    const forced = own(options, 'forceRefresh') === true && this.#forced.allow(request.canonical);
    if (!forced) {
      const entry = this.#usable(request);
      if (entry !== undefined) return entry.token;
      const remembered = this.#errors.get(request.canonical);
      if (remembered !== undefined) throw remembered;
    }
    const flight = this.#flights.get(request.canonical) ?? this.#start(request, false);
    this.#waits += 1;
    return wait(flight.token, signal, flight.background ? this.#parts.endpoint.deadlineMs : undefined);
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
    if (this.#closed || this.#flights.has(request.canonical)) return;
    const { clock, random } = this.#parts;
    this.#refreshes += 1;
    this.#start(request, true).token.catch(() => {
      entry.postponeRefresh({ wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() }, random);
    });
  }

  #start(request: NormalisedTokenRequest, background: boolean): Flight {
    if (this.#closed) throw closedError();
    let flight: Flight | undefined;
    const token = this.#outside.runInAsyncScope(async () => {
      // The flight has to be known before it can end, also when fetching fails without waiting for anything.
      await Promise.resolve();
      return this.#fly(request, background, flight);
    });
    flight = { token, background, detached: false };
    this.#flights.set(request.canonical, flight);
    // All who wait may have left: the failure is then nobody's, and must not become an unhandled rejection (T-49).
    token.catch(() => undefined);
    return flight;
  }

  async #fly(
    request: NormalisedTokenRequest,
    background: boolean,
    flight: Flight | undefined,
  ): Promise<MaskinportenToken> {
    const { canonical, scopes, kind } = request;
    try {
      const signal = this.#stopRefreshing.signal;
      const fetched = await this.#source.fetch(request, background ? { background, signal } : { background });
      this.#keep(request, fetched, flight);
      const { jti, kid } = fetched.entry.token;
      this.#parts.events.emit({
        type: 'token-obtained',
        scopes,
        kind,
        jti,
        ...(kid === undefined ? {} : { kid }),
        attempts: fetched.attempts,
        elapsedMs: fetched.elapsedMs,
        ...(fetched.expiresInSeconds === undefined ? {} : { expiresInSeconds: fetched.expiresInSeconds }),
        background,
      });
      return fetched.entry.token;
    } catch (error) {
      const failure = isMaskinportenError(error) ? error : unexpected();
      if (flight?.detached !== true) this.#errors.remember(canonical, failure);
      this.#parts.events.emit({ type: 'token-refused', scopes, kind, error: failure, background });
      throw failure;
    } finally {
      if (this.#flights.get(canonical) === flight) this.#flights.delete(canonical);
    }
  }

  #keep(request: NormalisedTokenRequest, fetched: Fetched, flight: Flight | undefined): void {
    this.#requestOf.set(fetched.entry.token, request);
    if (flight?.detached === true) return;
    this.#errors.forget(request.canonical);
    if (fetched.cacheable) this.#cache.set(request, fetched.entry);
  }

  #drop(request: NormalisedTokenRequest, token: MaskinportenToken): void {
    const entry = this.#cache.get(request);
    if (entry !== undefined && entry.token !== token) return;
    this.#cache.delete(request);
    const flight = this.#flights.get(request.canonical);
    if (flight !== undefined && entry !== undefined) {
      flight.detached = true;
      this.#flights.delete(request.canonical);
    }
  }
}

/** Reads an own property only: a polluted prototype must not switch anything on (T-66). */
function own<K extends keyof GetTokenOptions>(
  options: GetTokenOptions | undefined,
  name: K,
): GetTokenOptions[K] | undefined {
  return options !== undefined && Object.hasOwn(options, name) ? options[name] : undefined;
}

const closedError = (): MaskinportenError =>
  createError('MP_ABORTED', { message: 'The token service is closed; no new token is fetched.', retryable: false });

const unexpected = (): MaskinportenError =>
  createError('MP_PROTOCOL', { message: 'The token could not be fetched, for a reason that has no code of its own.' });
