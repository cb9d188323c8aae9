import { createError } from '../errors/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';
import { systemClock, type Clock } from '../basics/index.js';
import type { HttpResponse, HttpTransport } from '../http/index.js';
import { parseRetryAfter } from '../token-endpoint/index.js';
import type { ExchangedToken, MaskinportenToken, MaskinportenTokenService, TokenExchanger } from '../tokens/index.js';
import { AUTHENTICATION, PLATFORM_FIELD } from './altinn-config.js';
import { AltinnRetry } from './altinn-retry.js';
import { readExchangedToken } from './exchanged-token.js';
import { notTheApi, refusedAnswer } from './refused-answer.js';

export interface AltinnTokenExchangerOptions {
  /** Origin of the platform. */
  readonly platformUrl: string;
  readonly transport: Pick<HttpTransport, 'send'>;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
}

const MAX_BYTES = 32 * 1024;

/**
 * Swaps Maskinporten tokens for Altinn tokens. Altinn answers 401 also for faults of its own (Altinn, token exchange), so
 * a 401 is tried once more with a renewed token and is then *unknown*, never a no.
 */
export class AltinnTokenExchanger implements TokenExchanger {
  readonly #url: string;
  readonly #transport: Pick<HttpTransport, 'send'>;
  readonly #retry: AltinnRetry;
  readonly #clock: Clock;
  #tokens: Pick<MaskinportenTokenService, 'renew'> | undefined;

  constructor(options: AltinnTokenExchangerOptions) {
    this.#url = `${options.platformUrl.replace(/\/+$/, '')}${AUTHENTICATION}/exchange/maskinporten`;
    this.#transport = options.transport;
    this.#clock = options.clock ?? systemClock;
    this.#retry = new AltinnRetry({ clock: this.#clock, random: options.random ?? Math.random });
  }

  /** The service that this exchanger belongs to; it is made after the exchanger, and renews a token that was refused. */
  renewWith(tokens: Pick<MaskinportenTokenService, 'renew'>): void {
    this.#tokens = tokens;
  }

  /**
   * @throws TokenEndpointUnavailableError (`MP_UPSTREAM` with status 401) when Altinn refuses a fresh token too
   * @throws MaskinportenError of the fault matrix for everything else (F-87)
   */
  async exchange(token: MaskinportenToken, request: NormalisedTokenRequest): Promise<ExchangedToken> {
    const exchanged = await this.#exchange(token, request);
    if (exchanged !== undefined) return exchanged;
    const renewed = await this.#tokens?.renew(token);
    const second = renewed === undefined ? undefined : await this.#exchange(renewed, request);
    if (second !== undefined) return second;
    throw createError('MP_UPSTREAM', {
      message: 'Altinn does not exchange the token (HTTP 401), which it also answers when it has a fault of its own.',
      field: PLATFORM_FIELD,
      status: 401,
      hint: {
        en: 'Try again later. If it keeps failing, check that platform and Maskinporten belong to the same environment.',
        nb: 'Prøv igjen senere. Fortsetter det, kontroller at plattformen og Maskinporten hører til samme miljø.',
      },
    });
  }

  /** @returns undefined for 401 */
  async #exchange(token: MaskinportenToken, request: NormalisedTokenRequest): Promise<ExchangedToken | undefined> {
    return this.#retry.run(async (deadlineMs) => {
      const answer = await this.#transport.send({
        url: this.#url,
        method: 'GET',
        headers: { authorization: `Bearer ${token.value}`, accept: 'text/plain, application/json' },
        deadlineMs,
        maxBytes: MAX_BYTES,
        field: PLATFORM_FIELD,
      });
      return this.#read(answer, token, request);
    });
  }

  #read(answer: HttpResponse, token: MaskinportenToken, request: NormalisedTokenRequest): ExchangedToken | undefined {
    const { status, headers } = answer;
    if (status === 401) return undefined;
    const text = answer.body.toString('utf8');
    if (status === 200) {
      if (/^text\/html\b/i.test(headers['content-type'] ?? '')) throw notTheApi('token exchange', status);
      return readExchangedToken(text, request, this.#clock.wallMs());
    }
    const retryAfterMs = parseRetryAfter(headers['retry-after'], this.#clock.wallMs());
    throw refusedAnswer('token exchange', answer, undefined, [token.value], retryAfterMs);
  }
}
