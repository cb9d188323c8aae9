import { AxiosError, type AxiosAdapter, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { isMaskinportenError } from '../errors/index.js';
import { RequestContext } from '../signals/index.js';
import type { MaskinportenToken } from '../tokens/index.js';
import {
  answerIn,
  answerOf,
  declaredLength,
  detach,
  discard,
  isStreamed,
  isTooLarge,
  limitOf,
} from './axios-answer.js';
import { anotherToken, obtainToken } from './bearer-token.js';
import { CallDeadline } from './call-deadline.js';
import type { StreamRules } from './detached-stream.js';
import { asksForUnsafeReplay, type OutboundDecision, type OutboundPolicy } from './outbound-policy.js';
import { privateConfig } from './private-config.js';
import { isReplayable } from './replay.js';
import { isTraced } from './trace-instrumentation.js';
import { cleanFailure, cleanResponse, type Trace } from './transport-traces.js';
import type { WatchedCall } from './watched-call.js';

/** What carries the calls underneath. */
export interface Transport {
  /** axios decides it from the configuration of the call. */
  adapterFor(config: InternalAxiosRequestConfig): AxiosAdapter;
  /** Fetch follows redirects by its own option, not by `maxRedirects`. */
  readonly isFetch: boolean;
  /** Not one of axios's own: a mock, a cache. It sees `url` and `baseURL` as the caller wrote them. */
  readonly isForeign: boolean;
}

/** One call: at most two attempts, the second only with another token. */
export class BearerCall {
  readonly #deadline: CallDeadline;
  /** Largest answer in decoded bytes, and the setting that says so. */
  readonly #limit: { readonly bytes: number; readonly setting: string };

  constructor(
    private readonly config: InternalAxiosRequestConfig,
    private readonly decision: OutboundDecision,
    private readonly transport: Transport,
    private readonly policy: OutboundPolicy,
    private readonly ownAddress: boolean,
  ) {
    this.#deadline = new CallDeadline(policy.deadlineMs, config.signal);
    this.#limit = limitOf(config, policy.maxResponseBytes);
  }

  // eslint-disable-next-line typescript/promise-function-async -- see sendWithToken
  run(): Promise<AxiosResponse> {
    const { tokens, request } = this.decision;
    const token = tokens.peek(request);
    return token === undefined ? this.#obtainAndSend() : this.#send(token, true);
  }

  async #obtainAndSend(): Promise<AxiosResponse> {
    let token: MaskinportenToken;
    try {
      const { tokens, request, priority } = this.decision;
      token = await obtainToken(tokens, request, { signal: this.#waitingSignal(), priority });
    } catch (error) {
      this.#deadline.release();
      // Who waited in our own queue hears that, and not that Maskinporten or the API were slow (F-139).
      const queued = isMaskinportenError(error, 'MP_TIMEOUT');
      const failure = this.#deadline.expired && !queued ? this.#timeoutError() : error;
      this.decision.watch?.(this.#method).failed(failure);
      throw failure;
    }
    return this.#send(token, true);
  }

  // eslint-disable-next-line typescript/promise-function-async -- see sendWithToken
  #send(token: MaskinportenToken, first: boolean): Promise<AxiosResponse> {
    const watched = this.decision.watch?.(this.#method, token);
    return watched === undefined ? this.#transmit(token, first) : this.#sendWatched(watched, token, first);
  }

  /** Nothing is sent before the observers have agreed. They hear of each attempt separately. */
  async #sendWatched(watched: WatchedCall, token: MaskinportenToken, first: boolean): Promise<AxiosResponse> {
    try {
      await watched.intend();
    } catch (error) {
      this.#deadline.release();
      throw error;
    }
    return this.#transmit(token, first, watched);
  }

  // eslint-disable-next-line typescript/promise-function-async -- see sendWithToken
  #transmit(token: MaskinportenToken, first: boolean, watched?: WatchedCall): Promise<AxiosResponse> {
    const { config, transport } = this;
    const sent = privateConfig(config, {
      href: this.ownAddress ? undefined : this.decision.url.href,
      token: token.value,
      traceparent: isTraced(transport.isFetch) ? undefined : RequestContext.current()?.nextTraceparent(),
      signal: this.#deadline,
      maxContentLength: isStreamed(config) || this.#limit.bytes === Infinity ? -1 : this.#limit.bytes,
      isFetch: transport.isFetch,
    });
    const trace: Trace = { config, sent, token: token.value };
    return startOf(transport, sent).then(
      // eslint-disable-next-line typescript/promise-function-async -- an answer that needs nothing more is handed on as it is
      (answer) => {
        let response: AxiosResponse;
        try {
          response = answerOf(answer, config);
        } catch (error) {
          watched?.failed(error);
          throw this.#fail(error, trace);
        }
        watched?.answered(response.status);
        if (response.status === 401) return this.#refused(token, first, response, undefined, trace);
        return this.#finish(response, trace);
      },
      // eslint-disable-next-line typescript/promise-function-async -- as above
      (error: unknown) => {
        const response = answerIn(error);
        if (response !== undefined) watched?.answered(response.status);
        else watched?.failed(this.#deadline.expired ? this.#timeoutError() : error);
        if (response?.status === 401) return this.#refused(token, first, response, error, trace);
        throw this.#fail(error, trace);
      },
    );
  }

  /** F-134: the call is repeated once, if it can be and there is another token; else the 401 is passed on. */
  async #refused(
    token: MaskinportenToken,
    first: boolean,
    response: AxiosResponse,
    error: unknown,
    trace: Trace,
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
    if (error === undefined) return this.#finish(response, trace);
    throw this.#fail(error, trace);
  }

  // eslint-disable-next-line typescript/promise-function-async -- see sendWithToken
  #finish(response: AxiosResponse, trace: Trace): AxiosResponse | Promise<AxiosResponse> {
    cleanResponse(response, trace);
    if (isStreamed(this.config)) {
      if (this.#method.toLowerCase() !== 'head' && declaredLength(response) > this.#limit.bytes) {
        discard(response.data);
        this.#deadline.release();
        return Promise.reject(this.#tooLarge());
      }
      // A stream is read at the caller's own pace: only the caller's signal still ends it.
      if (detach(response, this.#rules(trace))) {
        this.#deadline.stopClock();
        return response;
      }
    }
    this.#deadline.release();
    return response;
  }

  #fail(error: unknown, trace: Trace): unknown {
    const response = answerIn(error);
    if (response !== undefined && detach(response, this.#rules(trace))) this.#deadline.stopClock();
    else this.#deadline.release();
    if (this.#deadline.expired) return this.#timeoutError();
    const cleaned = cleanFailure(error, trace);
    // axios names its own option, which the caller may not have set.
    return isTooLarge(cleaned) ? this.#tooLarge() : cleaned;
  }

  #rules(trace: Trace): StreamRules {
    return {
      limit: this.#limit.bytes,
      tooLarge: () => this.#tooLarge(),
      clean: (error) => cleanFailure(error, trace),
      over: () => this.#deadline.release(),
    };
  }

  get #method(): string {
    return this.config.method ?? 'get';
  }

  #timeoutError(): AxiosError {
    const message = `no complete answer within the deadline of ${this.policy.deadlineMs} ms (deadlineMs)`;
    return new AxiosError(message, AxiosError.ETIMEDOUT, this.config);
  }

  #tooLarge(): AxiosError {
    const { bytes, setting } = this.#limit;
    const message = `the answer is larger than ${bytes} bytes, the limit set by ${setting}`;
    return new AxiosError(message, AxiosError.ERR_BAD_RESPONSE, this.config);
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

/** Starts the transport; one that throws, or answers at once, is as good as one that rejects or resolves (F-145). */
// eslint-disable-next-line typescript/promise-function-async -- see sendWithToken
function startOf(transport: Transport, sent: InternalAxiosRequestConfig): Promise<unknown> {
  try {
    return Promise.resolve(transport.adapterFor(sent)(sent));
  } catch (error) {
    return Promise.reject(error);
  }
}
