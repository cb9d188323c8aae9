import { beforeDeadline, momentOf, type Clock, type Moment } from '../basics/index.js';
import { createError } from '../errors/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';
import { ConcurrencyGate } from '../keys/index.js';
import type { Demand, ObtainedToken, TokenEndpoint } from '../token-endpoint/index.js';
import { MaskinportenToken } from './maskinporten-token.js';
import { SharedTokens, type StoredToken } from './shared-tokens.js';
import { TokenEntry, type RefreshWindow } from './token-entry.js';
import type { ExchangedToken, TokenExchanger } from './token-exchanger.js';

/**
 * Life that is assumed, in seconds, of a token whose server promised nothing; it is handed to those who wait and not
 * cached. The shortest life Digdir documents for real scopes is 30 seconds (Digdir, token).
 */
const UNPROMISED_LIFE_SECONDS = 30;

/** An exchange has its own deadlines; this one holds when it forgets them, so that no caller waits without end. */
const EXCHANGE_DEADLINE_MS = 30_000;
/** As for Maskinporten's own tokens: no longer, whatever the other issuer says. */
const MAX_LIFE_SECONDS = 3_600;

/** A token on its way into the cache, with what happened on the way. */
export interface Fetched {
  readonly entry: TokenEntry;
  readonly cacheable: boolean;
  readonly attempts: number;
  readonly elapsedMs: number;
  readonly expiresInSeconds: number | undefined;
}

export interface TokenSourceOptions {
  readonly endpoint: TokenEndpoint;
  readonly exchanger: TokenExchanger | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly window: RefreshWindow;
  /** Gets (cached or new) the Maskinporten token that an exchange starts from. */
  readonly baseToken: (request: NormalisedTokenRequest, demand: Demand) => Promise<MaskinportenToken>;
  /** The tokens of all replicas, when they are shared. */
  readonly shared: SharedTokens | undefined;
  /** The tokens of this key are not used any more. */
  readonly isGivenUp: (keyIdentity: string) => boolean;
  /** Server time in milliseconds. */
  readonly serverNow: () => number;
  /** Exchanges in flight at most. */
  readonly maxExchanges: number;
}

/** Turns what the token endpoint, or an exchange after it, answers into cache entries. */
export class TokenSource {
  readonly #options: TokenSourceOptions;
  readonly #exchanges: ConcurrencyGate;

  constructor(options: TokenSourceOptions) {
    this.#options = options;
    this.#exchanges = new ConcurrencyGate(options.maxExchanges);
  }

  /** @param known the token that is to be replaced */
  async fetch(request: NormalisedTokenRequest, demand: Demand, known?: MaskinportenToken): Promise<Fetched> {
    if (request.exchange !== undefined) return this.#exchange(request, demand);
    const { shared } = this.#options;
    if (shared === undefined || !SharedTokens.takes(request)) return this.#obtain(request, demand);
    return shared.fetch(
      request,
      known?.jti,
      (stored) => this.#fromStore(stored, request, demand),
      async () => {
        const result = await this.#obtain(request, demand);
        return { result, stored: this.#toStore(result) };
      },
    );
  }

  /** What another replica has got; undefined when it is of no use any more, or not what was asked for. */
  #fromStore(stored: StoredToken, request: NormalisedTokenRequest, { background }: Demand): Fetched | undefined {
    const { clock, serverNow, isGivenUp } = this.#options;
    const { value, startMs, endMs, jti, kid, keyIdentity } = stored;
    const ageMs = serverNow() - startMs;
    const lifeMs = endMs - startMs;
    const sound = /^[\x21-\x7e]{1,16384}$/.test(value) && Number.isFinite(ageMs) && lifeMs > 0;
    if (!sound || lifeMs > MAX_LIFE_SECONDS * 1_000 || isGivenUp(keyIdentity)) return undefined;
    const start = { wallMs: clock.wallMs() - ageMs, monotonicMs: clock.monotonicMs() - ageMs };
    const token = new MaskinportenToken({
      value,
      scopes: request.scopes,
      expiresAt: new Date(start.wallMs + lifeMs),
      jti,
      ...(kid === undefined ? {} : { kid }),
    });
    const entry = this.#entry(token, keyIdentity, start, lifeMs / 1_000);
    const state = entry.stateAt(clock);
    // One that is due for a refresh serves those who have none: Maskinporten may be down (F-132).
    if (state === 'unusable' || (state === 'refresh' && background)) return undefined;
    return { entry, cacheable: true, attempts: 0, elapsedMs: 0, expiresInSeconds: lifeMs / 1_000 };
  }

  #toStore({ entry: { token, keyIdentity }, expiresInSeconds }: Fetched): StoredToken | undefined {
    if (expiresInSeconds === undefined) return undefined;
    const { clock, serverNow } = this.#options;
    const endMs = serverNow() + token.expiresAt.getTime() - clock.wallMs();
    const { value, scopes, jti, kid } = token;
    return { value, scopes, startMs: endMs - expiresInSeconds * 1_000, endMs, jti, kid, keyIdentity };
  }

  async #obtain(request: NormalisedTokenRequest, demand: Demand): Promise<Fetched> {
    const obtained: ObtainedToken = await this.#options.endpoint.fetchToken(request, demand);
    const start: Moment = { wallMs: obtained.sentWallMs, monotonicMs: obtained.sentMonotonicMs };
    const lifeSeconds = obtained.expiresInSeconds ?? UNPROMISED_LIFE_SECONDS;
    const token = new MaskinportenToken({
      value: obtained.accessToken,
      scopes: obtained.scopes,
      expiresAt: new Date(start.wallMs + lifeSeconds * 1000),
      jti: obtained.jti,
      ...(obtained.kid === undefined ? {} : { kid: obtained.kid }),
    });
    return {
      entry: this.#entry(token, obtained.keyIdentity, start, lifeSeconds),
      cacheable: obtained.expiresInSeconds !== undefined,
      attempts: obtained.attempts,
      elapsedMs: obtained.elapsedMs,
      expiresInSeconds: obtained.expiresInSeconds,
    };
  }

  async #exchange(request: NormalisedTokenRequest, demand: Demand): Promise<Fetched> {
    const { exchanger, clock } = this.#options;
    if (exchanger === undefined) {
      throw createError('MP_REQUEST', {
        message: 'exchange: this token service was made without an exchange; configure the altinn option.',
        field: 'exchange',
      });
    }
    const base = await this.#options.baseToken(request.withoutExchange(), demand);
    // Waiting for its turn is nobody's fault, and the life of the token does not begin before it is asked for (F-139).
    const { start, exchanged } = await this.#exchanges.run(async () => ({
      start: momentOf(clock),
      exchanged: await beforeDeadline(() => exchanger.exchange(base, request), {
        ms: EXCHANGE_DEADLINE_MS,
        late: exchangeLate,
      }),
    }));
    const { value, expiresInSeconds } = checkExchanged(exchanged);
    const { scopes, jti, kid } = base;
    const token = new MaskinportenToken({
      value,
      scopes,
      expiresAt: new Date(start.wallMs + expiresInSeconds * 1000),
      jti,
      ...(kid === undefined ? {} : { kid }),
    });
    return {
      entry: this.#entry(token, '', start, expiresInSeconds),
      cacheable: true,
      attempts: 1,
      elapsedMs: clock.monotonicMs() - start.monotonicMs,
      expiresInSeconds,
    };
  }

  #entry(token: MaskinportenToken, keyIdentity: string, start: Moment, lifeSeconds: number): TokenEntry {
    const { window, random } = this.#options;
    return new TokenEntry({ token, keyIdentity, start, lifeMs: lifeSeconds * 1000, window, random });
  }
}

const exchangeLate = (): Error =>
  createError('MP_TIMEOUT', { message: 'The exchange did not give a token within the deadline.', field: 'exchange' });

/** The same that is asked of a token response: safe in a header (T-32), and a life that can be counted (T-64). */
function checkExchanged({ value, expiresInSeconds }: ExchangedToken): ExchangedToken {
  const countable = Number.isFinite(expiresInSeconds) && expiresInSeconds > 0;
  if (countable && /^[\x21-\x7e]{1,16384}$/.test(value)) {
    return { value, expiresInSeconds: Math.min(expiresInSeconds, MAX_LIFE_SECONDS) };
  }
  throw createError('MP_PROTOCOL', { message: 'The exchange gave something that is no token.', field: 'exchange' });
}
