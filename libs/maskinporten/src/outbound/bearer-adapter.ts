import { Axios, AxiosError, type AxiosAdapter, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import type { MaskinportenToken } from '../tokens/index.js';
import { anotherToken, obtainToken } from './bearer-token.js';
import { CallDeadline } from './call-deadline.js';
import { asksForUnsafeReplay, type OutboundDecision, type OutboundPolicy } from './outbound-policy.js';
import { destinationRefused } from './outbound-url.js';
import { hasOwnAuthorization, privateConfig } from './private-config.js';
import { isReplayable } from './replay.js';
import { RequestContext } from './request-context.js';
import { cleanError, cleanResponse } from './transport-traces.js';
import type { WatchedCall } from './watched-call.js';

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
      return new BearerCall(config, policy.decide(config.maskinporten, addressOf(config)), transport, policy).run();
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
    private readonly decision: OutboundDecision,
    private readonly transport: Transport,
    private readonly policy: OutboundPolicy,
  ) {
    this.#deadline = new CallDeadline(policy.deadlineMs, config.signal);
  }

  // eslint-disable-next-line typescript/promise-function-async -- see createBearerAdapter
  run(): Promise<AxiosResponse> {
    const { tokens, request } = this.decision;
    const token = tokens.peek(request);
    return token === undefined ? this.#obtainAndSend() : this.#send(token, true);
  }

  async #obtainAndSend(): Promise<AxiosResponse> {
    let token: MaskinportenToken;
    try {
      token = await obtainToken(this.decision.tokens, this.decision.request, this.#waitingSignal());
    } catch (error) {
      this.#deadline.release();
      const failure = this.#deadline.expired ? this.#timeoutError() : error;
      this.decision.watch?.(this.#method).failed(failure);
      throw failure;
    }
    return this.#send(token, true);
  }

  // eslint-disable-next-line typescript/promise-function-async -- see createBearerAdapter
  #send(token: MaskinportenToken, first: boolean): Promise<AxiosResponse> {
    const watched = this.decision.watch?.(this.#method, token);
    return watched === undefined ? this.#transmit(token, first) : this.#sendWatched(watched, token, first);
  }

  /** Nothing is sent before those who watch have agreed; each attempt is told about by itself. */
  async #sendWatched(watched: WatchedCall, token: MaskinportenToken, first: boolean): Promise<AxiosResponse> {
    try {
      await watched.intend();
    } catch (error) {
      this.#deadline.release();
      throw error;
    }
    try {
      return await this.#transmit(token, first, watched);
    } catch (error) {
      // A transport that throws instead of rejecting; every other end has been told already.
      watched.failed(error);
      this.#deadline.release();
      throw error;
    }
  }

  // eslint-disable-next-line typescript/promise-function-async -- see createBearerAdapter
  #transmit(token: MaskinportenToken, first: boolean, watched?: WatchedCall): Promise<AxiosResponse> {
    const sent = privateConfig(this.config, {
      href: this.decision.url.href,
      token: token.value,
      traceparent: RequestContext.current()?.nextTraceparent(),
      signal: this.#deadline,
      maxResponseBytes: this.policy.maxResponseBytes,
      isFetch: this.transport.isFetch,
    });
    return this.transport
      .adapterFor(sent)(sent)
      .then(
        // eslint-disable-next-line typescript/promise-function-async -- an answer that needs nothing more is handed on as it is
        (response) => {
          watched?.answered(response.status);
          if (response.status === 401) return this.#refused(token, first, response, undefined);
          return this.#finish(response);
        },
        // eslint-disable-next-line typescript/promise-function-async -- as above
        (error: unknown) => {
          if (isAxiosFailure(error) && error.response !== undefined) watched?.answered(error.response.status);
          else watched?.failed(this.#deadline.expired ? this.#timeoutError() : error);
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
    const { data, maskinporten } = this.config;
    const replayUnsafe = this.policy.replayUnsafe || asksForUnsafeReplay(maskinporten);
    if (first && isReplayable(this.#method, data, replayUnsafe)) {
      const next = await anotherToken(this.decision.tokens, token, this.#waitingSignal());
      if (next !== undefined) {
        discard(response.data);
        return this.#send(next, false);
      }
    } else if (first) {
      // The call cannot be repeated, but the next one should not meet the same refusal.
      void anotherToken(this.decision.tokens, token);
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

  get #method(): string {
    return this.config.method ?? 'get';
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
