import { Axios, AxiosError, type AxiosAdapter, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import type { NormalisedTokenRequest } from '../grants/index.js';
import type { MaskinportenToken } from '../tokens/index.js';
import { anotherToken, obtainToken } from './bearer-token.js';
import { CallDeadline } from './call-deadline.js';
import type { OutboundTokens } from './maskinporten-clients.js';
import { asksForUnsafeReplay, type OutboundPolicy } from './outbound-policy.js';
import { destinationRefused } from './outbound-url.js';
import { hasOwnAuthorization, privateConfig } from './private-config.js';
import { isReplayable } from './replay.js';
import { cleanError, cleanResponse } from './transport-traces.js';

/** What carries the calls underneath. */
export interface Transport {
  /** axios decides it from the configuration of the call. */
  adapterFor(config: InternalAxiosRequestConfig): AxiosAdapter;
  /** Fetch follows redirects by its own option, not by `maxRedirects`. */
  readonly isFetch: boolean;
}

/**
 * Wraps a transport so that it carries a bearer token. The adapter is the innermost step of axios: what is checked
 * here is what is sent, whatever interceptors did before (T-24).
 */
export function createBearerAdapter(transport: Transport, policy: OutboundPolicy): AxiosAdapter {
  // eslint-disable-next-line typescript/promise-function-async -- a cached token is attached without a tick in between
  return (config) => {
    if (hasOwnAuthorization(config)) return transport.adapterFor(config)(config);
    try {
      if (config.socketPath) throw destinationRefused('a socketPath goes around the destination that was checked');
      const { tokens, request, url } = policy.decide(config.maskinporten, addressOf(config));
      return new BearerCall(config, url.href, tokens, request, transport, policy).run();
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

/** Joins `baseURL` and `url` the way axios does; parameters are added later and cannot change the destination. */
const joiner = new Axios({});
function addressOf({ baseURL, url, allowAbsoluteUrls }: InternalAxiosRequestConfig): string {
  if (baseURL === undefined && url !== undefined) return url;
  return joiner.getUri({
    ...(baseURL === undefined ? {} : { baseURL }),
    ...(url === undefined ? {} : { url }),
    ...(allowAbsoluteUrls === undefined ? {} : { allowAbsoluteUrls }),
  });
}

/** One call: at most two attempts, the second only with another token. */
class BearerCall {
  readonly #deadline: CallDeadline;

  constructor(
    private readonly config: InternalAxiosRequestConfig,
    private readonly href: string,
    private readonly tokens: OutboundTokens,
    private readonly request: NormalisedTokenRequest,
    private readonly transport: Transport,
    private readonly policy: OutboundPolicy,
  ) {
    this.#deadline = new CallDeadline(policy.deadlineMs, config.signal);
  }

  // eslint-disable-next-line typescript/promise-function-async -- see createBearerAdapter
  run(): Promise<AxiosResponse> {
    const token = this.tokens.peek(this.request);
    return token === undefined ? this.#obtainAndSend() : this.#send(token, true);
  }

  async #obtainAndSend(): Promise<AxiosResponse> {
    let token: MaskinportenToken;
    try {
      token = await obtainToken(this.tokens, this.request, this.#waitingSignal());
    } catch (error) {
      this.#deadline.release();
      throw this.#deadline.expired ? this.#timeoutError() : error;
    }
    return this.#send(token, true);
  }

  // eslint-disable-next-line typescript/promise-function-async -- see createBearerAdapter
  #send(token: MaskinportenToken, first: boolean): Promise<AxiosResponse> {
    const sent = privateConfig(this.config, {
      href: this.href,
      token: token.value,
      signal: this.#deadline,
      maxResponseBytes: this.policy.maxResponseBytes,
      isFetch: this.transport.isFetch,
    });
    return this.transport
      .adapterFor(sent)(sent)
      .then(
        // eslint-disable-next-line typescript/promise-function-async -- an answer that needs nothing more is handed on as it is
        (response) => {
          if (response.status === 401) return this.#refused(token, first, response, undefined);
          return this.#finish(response);
        },
        // eslint-disable-next-line typescript/promise-function-async -- as above
        (error: unknown) => {
          if (isAxiosFailure(error) && error.response?.status === 401) {
            return this.#refused(token, first, error.response, error);
          }
          throw this.#fail(error);
        },
      );
  }

  /** F-134: the call is repeated once, if it can be and there is another token; else the 401 is passed on. */
  async #refused(
    token: MaskinportenToken,
    first: boolean,
    response: AxiosResponse,
    error: unknown,
  ): Promise<AxiosResponse> {
    const { method = 'get', data, maskinporten } = this.config;
    const replayUnsafe = this.policy.replayUnsafe || asksForUnsafeReplay(maskinporten);
    if (first && isReplayable(method, data, replayUnsafe)) {
      const next = await anotherToken(this.tokens, token, this.#waitingSignal());
      if (next !== undefined) {
        discard(response.data);
        return this.#send(next, false);
      }
    } else if (first) {
      // The call cannot be repeated, but the next one should not meet the same refusal.
      void anotherToken(this.tokens, token);
    }
    if (error === undefined) return this.#finish(response);
    throw this.#fail(error);
  }

  #finish(response: AxiosResponse): AxiosResponse {
    cleanResponse(response, this.config);
    const data: unknown = response.data;
    if (this.config.responseType === 'stream' && isStream(data)) {
      // A stream is read at the caller's own pace: only the caller's signal still ends it.
      this.#deadline.stopClock();
      data.once('close', () => this.#deadline.release());
    } else {
      this.#deadline.release();
    }
    return response;
  }

  #fail(error: unknown): unknown {
    this.#deadline.release();
    return this.#deadline.expired ? this.#timeoutError() : cleanError(error, this.config);
  }

  #timeoutError(): AxiosError {
    const message = `no complete answer within the deadline of ${this.policy.deadlineMs} ms`;
    return new AxiosError(message, AxiosError.ETIMEDOUT, this.config);
  }

  /** Ends the wait for a token when the deadline passes, the caller's signal fires or the Observable is unsubscribed. */
  #waitingSignal(): AbortSignal {
    const signal = this.#deadline.toAbortSignal();
    const { cancelToken } = this.config;
    if (cancelToken === undefined) return signal;
    const controller = new AbortController();
    void cancelToken.promise.then(() => controller.abort());
    return AbortSignal.any([signal, controller.signal]);
  }
}

const isAxiosFailure = (error: unknown): error is AxiosError =>
  typeof error === 'object' && error !== null && 'response' in error;

const isStream = (data: unknown): data is NodeJS.ReadableStream & { destroy(): void } =>
  typeof data === 'object' && data !== null && 'pipe' in data && 'once' in data;

function discard(data: unknown): void {
  if (isStream(data)) data.destroy();
}
