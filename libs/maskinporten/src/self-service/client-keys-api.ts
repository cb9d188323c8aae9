import { configurationError, isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import { normaliseTokenRequest, type NormalisedTokenRequest } from '../grants/index.js';
import { checkUrl, type HttpResponse, type HttpTransport, type InsecureHosts } from '../http/index.js';
import { environmentOfHost } from '../issuer/index.js';
import { systemClock, type Clock } from '../basics/index.js';
import { backoffMs, fits, isTransient, parseRetryAfter, sleep, type AttemptLimits } from '../token-endpoint/index.js';
import type { MaskinportenToken, MaskinportenTokenService } from '../tokens/index.js';
import { readDate, readKeySet, type RegisteredKeySet } from './registered-key.js';
import { SELF_SERVICE_FIELD, SELF_SERVICE_SCOPES } from './self-service-config.js';
import { selfServiceRefusal, unusableKeySet } from './self-service-refusal.js';

export interface ClientKeysApiOptions {
  /** Base address, with or without a path such as `/api/v1`; see `SELF_SERVICE_URLS`. */
  readonly baseUrl: string;
  /** Tokens of the administration client that Digdir hands out for the API. */
  readonly tokens: Pick<MaskinportenTokenService, 'getToken' | 'renew' | 'status'>;
  readonly transport: Pick<HttpTransport, 'send'> & Partial<Pick<HttpTransport, 'insecureHosts'>>;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
}

export interface ClientKeysCallOptions {
  readonly signal?: AbortSignal | undefined;
}

const OWN_TOKEN = {
  read: normaliseTokenRequest({ scopes: SELF_SERVICE_SCOPES.read }),
  change: normaliseTokenRequest({ scopes: SELF_SERVICE_SCOPES.change }),
} as const;

/** Somebody sits and waits, but a change of keys is worth more patience than a token. */
const BUDGET: AttemptLimits = { attempts: 3, attemptTimeoutMs: 10_000, deadlineMs: 30_000 };

/**
 * The keys of a client in Digdir's self-service API: read as a set, replaced as a set (Digdir, self-service API). Both
 * may be repeated, and are when the API is away for a moment.
 *
 * @example
 * const api = new ClientKeysApi({ baseUrl: SELF_SERVICE_URLS.test, tokens: administration, transport });
 * const { keys } = await api.read('my-client');
 */
export class ClientKeysApi {
  readonly #options: ClientKeysApiOptions;
  readonly #base: string;
  readonly #clock: Clock;

  /** @throws MaskinportenConfigurationError (`MP_CONFIG`) for an address that may not be called. */
  constructor(options: ClientKeysApiOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#base = checkedBase(options.baseUrl, options.tokens.status.issuer.identifier, options.transport.insecureHosts);
  }

  /** @throws MaskinportenError: of the token, of the connection, or of a refusal, naming who must act. */
  async read(clientId: string, { signal }: ClientKeysCallOptions = {}): Promise<RegisteredKeySet> {
    return this.#call({ what: 'reading the keys', method: 'GET', clientId, token: OWN_TOKEN.read }, signal);
  }

  /**
   * Makes `keys` the whole set of the client: what is left out is gone.
   *
   * @throws MaskinportenError as `read`; `MP_REQUEST` names each field that the API does not accept, and nothing is
   *   changed then.
   */
  async replace(
    clientId: string,
    keys: readonly object[],
    { signal }: ClientKeysCallOptions = {},
  ): Promise<RegisteredKeySet> {
    const body = JSON.stringify({ keys });
    const token = OWN_TOKEN.change;
    return this.#call({ what: 'registering the keys', method: 'POST', clientId, token, body }, signal);
  }

  async #call(call: Call, signal: AbortSignal | undefined): Promise<RegisteredKeySet> {
    const options = { signal };
    const token = await this.#options.tokens.getToken(call.token, options);
    try {
      return await this.#attempts(call, token, signal);
    } catch (error) {
      // The token may have died on its way.
      if (!isMaskinportenError(error) || error.status !== 401) throw error;
      const renewed = await this.#options.tokens.renew(token, options);
      if (renewed === undefined || renewed.value === token.value) throw error;
      return this.#attempts(call, renewed, signal);
    }
  }

  async #attempts(call: Call, token: MaskinportenToken, signal: AbortSignal | undefined): Promise<RegisteredKeySet> {
    const startedMs = this.#clock.monotonicMs();
    for (let failures = 1; ; failures += 1) {
      try {
        return await this.#exchange(call, token, signal);
      } catch (error) {
        if (!isMaskinportenError(error) || !isTransient(error) || failures >= BUDGET.attempts) throw error;
        const delayMs = backoffMs(failures, error, this.#options.random ?? Math.random);
        if (!fits(delayMs, BUDGET.deadlineMs - (this.#clock.monotonicMs() - startedMs))) throw error;
        await sleep(delayMs, signal, true);
      }
    }
  }

  async #exchange(call: Call, token: MaskinportenToken, signal: AbortSignal | undefined): Promise<RegisteredKeySet> {
    const { what, method, body } = call;
    const answer = await this.#options.transport.send({
      url: `${this.#base}/clients/${segment(call.clientId)}/jwks`,
      method,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${token.value}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body,
      deadlineMs: BUDGET.attemptTimeoutMs,
      signal,
      field: SELF_SERVICE_FIELD,
    });
    const json = parseJson(answer);
    if (answer.status !== 200 && answer.status !== 201) {
      const retryAfterMs = parseRetryAfter(answer.headers['retry-after'], this.#clock.wallMs());
      throw selfServiceRefusal(what, answer, json, [token.value], retryAfterMs);
    }
    const set = readKeySet(json);
    if (set === undefined) throw unusableKeySet(what);
    const serverTime = readDate(answer.headers['date']);
    return { ...set, serverTime };
  }
}

interface Call {
  /** Names the call in messages. */
  readonly what: string;
  readonly method: 'GET' | 'POST';
  readonly clientId: string;
  /** The token this call needs, and no more than that. */
  readonly token: NormalisedTokenRequest;
  readonly body?: string;
}

const refusal = (field: string, reason: string): MaskinportenError =>
  configurationError([{ field, code: 'MP_CONFIG', reason }]);

function checkedBase(baseUrl: string, issuer: string, insecure?: InsecureHosts): string {
  const verdict = checkUrl(baseUrl, insecure);
  if ('reason' in verdict) throw refusal(SELF_SERVICE_FIELD, verdict.reason);
  const { url } = verdict;
  if (url.search !== '' || url.hash !== '') {
    throw refusal(SELF_SERVICE_FIELD, 'must not have a query or a fragment');
  }
  const [own, theirs] = [environmentOfHost(url.hostname), environmentOfHost(new URL(issuer).hostname)];
  // F-88: a token of one environment is worth nothing in the other, and must not be shown there.
  if (own !== undefined && theirs !== undefined && own !== theirs) {
    throw refusal(SELF_SERVICE_FIELD, `belongs to the ${own} environment, and the issuer to ${theirs}`);
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function parseJson(answer: HttpResponse): unknown {
  try {
    return JSON.parse(answer.body.toString('utf8')) as unknown;
  } catch {
    // The parser's message quotes its input (T-10).
    return undefined;
  }
}

/** Dot segments would change the path after it was made. */
function segment(clientId: string): string {
  if (clientId === '' || /^\.{1,2}$/.test(clientId) || clientId.length > 255) {
    throw refusal('clientId', 'is not a client id');
  }
  return encodeURIComponent(clientId);
}
