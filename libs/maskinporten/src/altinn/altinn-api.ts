import { createError, isMaskinportenError } from '../errors/index.js';
import { normaliseTokenRequest, type NormalisedTokenRequest } from '../grants/index.js';
import { systemClock, type Clock } from '../basics/index.js';
import type { HttpRequest, HttpResponse, HttpTransport, InsecureHosts } from '../http/index.js';
import { parseRetryAfter } from '../token-endpoint/index.js';
import type { MaskinportenToken, MaskinportenTokenService } from '../tokens/index.js';
import { PLATFORM_FIELD } from './altinn-config.js';
import { AltinnRetry } from './altinn-retry.js';
import { notTheApi, refusedAnswer, unusableAnswer } from './refused-answer.js';

/** The part of the token service that calls to Altinn need. */
export type AltinnTokens = Pick<MaskinportenTokenService, 'getToken' | 'renew'>;

export interface AltinnApiOptions {
  /** Origin of the platform. */
  readonly platformUrl: string;
  readonly tokens: AltinnTokens;
  readonly transport: Pick<HttpTransport, 'send'> & Partial<Pick<HttpTransport, 'insecureHosts'>>;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
}

export interface AltinnCall {
  /** Names the call in messages. */
  readonly what: string;
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** From the root of the platform; variable segments already encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  /** The token this call needs, and no more than that; undefined for open data, which is asked for without a token. */
  readonly token: NormalisedTokenRequest | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses that are answers; everything else is an error. */
  readonly accept: readonly number[];
  /** Statuses that are worth one more try with a renewed token. Default 401. */
  readonly renewOn?: readonly number[];
  /** Largest answer in bytes. Default 256 KiB. */
  readonly maxBytes?: number;
  /** Keeps apart what fails apart: one circuit per group of endpoints. */
  readonly circuit: 'authentication' | 'register' | 'access-management' | 'authorization' | 'resource-registry';
  readonly signal?: AbortSignal | undefined;
}

export interface AltinnAnswer {
  readonly status: number;
  /** The parsed body; undefined when there is none. */
  readonly json: unknown;
  /** When the token it was asked with ends; undefined without a token. */
  readonly tokenExpiresAt: Date | undefined;
}

const DEFAULT_MAX_BYTES = 256 * 1024;

/**
 * Calls to Altinn's platform, each with the token of its own least scope. Only the configured platform is called:
 * addresses are made here from paths, never taken from an answer.
 */
export class AltinnApi {
  /** Hosts that may be spoken to over `http:`, in development. */
  readonly insecureHosts: InsecureHosts | undefined;
  readonly #options: AltinnApiOptions;
  readonly #base: string;
  readonly #retries: Readonly<Record<AltinnCall['circuit'], AltinnRetry>>;
  readonly #clock: Clock;

  constructor(options: AltinnApiOptions) {
    this.#options = options;
    this.insecureHosts = options.transport.insecureHosts;
    this.#clock = options.clock ?? systemClock;
    this.#base = options.platformUrl.replace(/\/+$/, '');
    const retry = (): AltinnRetry => new AltinnRetry({ clock: this.#clock, random: options.random ?? Math.random });
    this.#retries = {
      authentication: retry(),
      register: retry(),
      'access-management': retry(),
      authorization: retry(),
      'resource-registry': retry(),
    };
  }

  /**
   * @throws MaskinportenError: of the token, of the connection, or AltinnError for a refusal. 401 (and what `renewOn`
   *   says) is repeated once with a renewed token first, because a token may have died on its way.
   */
  async call(call: AltinnCall): Promise<AltinnAnswer> {
    const { token: request, signal } = call;
    if (request === undefined) return this.#exchange(call, undefined);
    const token = await this.#options.tokens.getToken(request, { signal });
    try {
      return await this.#exchange(call, token);
    } catch (error) {
      const refused = isMaskinportenError(error) && (call.renewOn ?? [401]).includes(error.status ?? 0);
      if (!refused || signal?.aborted === true) throw error;
      const renewed = await this.#options.tokens.renew(token, { signal });
      if (renewed === undefined || renewed.value === token.value) throw error;
      return this.#exchange(call, renewed);
    }
  }

  async #exchange(call: AltinnCall, token: MaskinportenToken | undefined): Promise<AltinnAnswer> {
    const request = this.#request(call, token);
    return this.#retries[call.circuit].run(async (deadlineMs, signal) => {
      const answer = await this.#options.transport.send({ ...request, deadlineMs, signal });
      return this.#read(call, answer, token);
    }, call.signal);
  }

  #request(call: AltinnCall, token: MaskinportenToken | undefined): Omit<HttpRequest, 'deadlineMs' | 'signal'> {
    const query = Object.entries(call.query ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const search = query.length === 0 ? '' : `?${new URLSearchParams(query).toString()}`;
    return {
      url: `${this.#base}${call.path}${search}`,
      method: call.method ?? 'GET',
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token.value}` }),
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      maxBytes: call.maxBytes ?? DEFAULT_MAX_BYTES,
      field: PLATFORM_FIELD,
    };
  }

  #read(call: AltinnCall, answer: HttpResponse, token: MaskinportenToken | undefined): AltinnAnswer {
    const { status } = answer;
    // A proxy's or a portal's page must not read as "no such system user", whatever its status (F-85).
    if (isPage(answer) && (call.accept.includes(status) || status < 500)) {
      if (status === 401 || status === 403) throw refusedAnswer(call.what, answer, undefined, [], undefined);
      throw notTheApi(call.what, status);
    }
    const json = parseJson(answer);
    if (!call.accept.includes(status)) {
      const secrets = [token?.value ?? '', ...Object.values(call.headers ?? {})];
      const retryAfterMs = parseRetryAfter(answer.headers['retry-after'], this.#clock.wallMs());
      throw refusedAnswer(call.what, answer, json === NOT_JSON ? undefined : json, secrets, retryAfterMs);
    }
    if (json === NOT_JSON) {
      // What says "no" needs no body to be understood; what says "yes" does.
      if (status >= 400) return { status, json: undefined, tokenExpiresAt: token?.expiresAt };
      throw unusableAnswer(call.what, 'it is not JSON');
    }
    return { status, json, tokenExpiresAt: token?.expiresAt };
  }
}

/** A token request that was checked once, when the module is loaded, and costs nothing per call. */
export const ownToken = (scope: string): NormalisedTokenRequest => normaliseTokenRequest({ scopes: scope });

const NOT_JSON = Symbol('not JSON');

function parseJson(answer: HttpResponse): unknown {
  if (answer.body.length === 0) return undefined;
  try {
    return JSON.parse(answer.body.toString('utf8')) as unknown;
  } catch {
    // The parser's message quotes its input (T-10).
    return NOT_JSON;
  }
}

const isPage = (answer: HttpResponse): boolean => /^text\/html\b/i.test(answer.headers['content-type'] ?? '');

/** One path segment from a value that may come from outside; dot segments would change the path after it was made. */
export function segment(value: string, field: string): string {
  const encoded = encodeURIComponent(value);
  if (value === '' || /^\.{1,2}$/.test(value) || value.length > 255) {
    throw createError('MP_REQUEST', { message: `${field} is not acceptable in an address of Altinn.`, field });
  }
  return encoded;
}
