import { Axios, AxiosError, type AxiosAdapter, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { RequestContext } from '../signals/index.js';
import { isMaskinportenError } from '../errors/index.js';
import type { MaskinportenToken } from '../tokens/index.js';
import { anotherToken, obtainToken } from './bearer-token.js';
import { CallDeadline } from './call-deadline.js';
import { detachedBody, detachedStream, type StreamRules } from './detached-stream.js';
import { revealAgents } from './hidden-agent.js';
import {
  asksForUnsafeReplay,
  isUnlimited,
  type OutboundCaller,
  type OutboundDecision,
  type OutboundPolicy,
} from './outbound-policy.js';
import { destinationRefused } from './outbound-url.js';
import { hasOwnAuthorization, privateConfig, removeMarker } from './private-config.js';
import { isReplayable } from './replay.js';
import { isTraced } from './trace-instrumentation.js';
import { cleanFailure, cleanResponse, isResponse, type Trace } from './transport-traces.js';
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

/**
 * Sends one call with a bearer token. It runs as the adapter, the innermost step of axios: what is checked here is what is
 * sent, whatever interceptors did before (T-24).
 *
 * @param caller who the call is for, as it was settled before any interceptor ran; undefined to find out now
 */
// eslint-disable-next-line typescript/promise-function-async -- a cached token is attached without a tick in between
export function sendWithToken(
  config: InternalAxiosRequestConfig,
  transport: Transport,
  policy: OutboundPolicy,
  caller?: OutboundCaller,
): Promise<AxiosResponse> {
  if (hasOwnAuthorization(config)) return sendAsItIs(config, transport);
  try {
    if (config.socketPath) throw destinationRefused('a socketPath goes around the destination that was checked');
    const { maskinporten } = config;
    const known = caller ?? policy.identify(maskinporten);
    const address = addressOf(config);
    const decision = policy.decide(known, maskinporten, address);
    const ownAddress = transport.isForeign && isPlainAddress(config, (text) => policy.allows(known, text));
    return new BearerCall(config, decision, transport, policy, ownAddress).run();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** A call with credentials of its own; only what it could show of others – sockets, requests – is taken away. */
async function sendAsItIs(config: InternalAxiosRequestConfig, transport: Transport): Promise<AxiosResponse> {
  removeMarker(config.headers);
  // As axios merges it: without a prototype.
  const sent = Object.assign(Object.create(null) as InternalAxiosRequestConfig, config);
  revealAgents(sent);
  const trace = { config, sent, token: undefined };
  try {
    const response = answerOf(await transport.adapterFor(sent)(sent), config);
    detach(response, unlimited(trace));
    return cleanResponse(response, trace);
  } catch (error) {
    const response = answerIn(error);
    if (response !== undefined) detach(response, unlimited(trace));
    throw cleanFailure(error, trace);
  }
}

const unlimited = (trace: Trace): StreamRules => ({
  limit: Infinity,
  tooLarge: () => new Error('this answer has no limit'),
  clean: (error) => cleanFailure(error, trace),
  over: () => undefined,
});

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

/**
 * Mocks and caches look for `url` and `baseURL` as they were written, but each joins them in its own way. They get them
 * only when every usual way leads to a place that is allowed; otherwise they get the address that was judged.
 */
function isPlainAddress(
  { baseURL, url = '' }: InternalAxiosRequestConfig,
  allowed: (text: string) => boolean,
): boolean {
  if (baseURL === undefined) return true;
  const resolved = URL.canParse(url, baseURL) ? new URL(url, baseURL).href : undefined;
  const joined = `${baseURL.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}`;
  return resolved !== undefined && allowed(resolved) && allowed(joined) && allowed(`${baseURL}${url}`);
}

/** One call: at most two attempts, the second only with another token. */
class BearerCall {
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

  /** Nothing is sent before those who watch have agreed; each attempt is told about by itself. */
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

function answerOf(answer: unknown, config: InternalAxiosRequestConfig): AxiosResponse {
  if (isResponse(answer)) return answer;
  throw new AxiosError(
    'the adapter answered with something that is not a response',
    AxiosError.ERR_BAD_RESPONSE,
    config,
  );
}

function answerIn(error: unknown): AxiosResponse | undefined {
  const response: unknown =
    typeof error === 'object' && error !== null && 'response' in error ? error.response : undefined;
  return isResponse(response) ? response : undefined;
}

/** What is buffered has a limit; what is streamed only when the call sets one (F-146). */
function limitOf(config: InternalAxiosRequestConfig, maxResponseBytes: number): { bytes: number; setting: string } {
  const { maxContentLength } = config;
  if (isUnlimited(maxContentLength)) return { bytes: Infinity, setting: 'maxContentLength' };
  if (typeof maxContentLength === 'number' && maxContentLength > 0) {
    return { bytes: maxContentLength, setting: 'maxContentLength' };
  }
  const none = maxResponseBytes === 0 || isStreamed(config);
  return { bytes: none ? Infinity : maxResponseBytes, setting: 'maxResponseBytes' };
}

const isStreamed = ({ responseType }: InternalAxiosRequestConfig): boolean =>
  responseType === 'stream' || (responseType as string | undefined) === 'response';

function declaredLength({ headers }: AxiosResponse): number {
  const length: unknown = Reflect.get(headers, 'content-length');
  return typeof length === 'string' || typeof length === 'number' ? Number(length) : 0;
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof AxiosError && error.message.startsWith('maxContentLength size of');

const isStream = (data: unknown): data is NodeJS.ReadableStream & { destroy(): void } =>
  typeof data === 'object' && data !== null && 'pipe' in data && 'once' in data;

const isWebStream = (data: unknown): data is ReadableStream<Uint8Array> =>
  typeof data === 'object' && data !== null && 'getReader' in data;

/** Replaces a streamed body by one that shows nothing of the call; false when the body is not a stream. */
function detach(response: AxiosResponse, rules: StreamRules): boolean {
  const data: unknown = response.data;
  if (isStream(data)) response.data = detachedStream(data as Parameters<typeof detachedStream>[0], rules);
  else if (isWebStream(data)) response.data = detachedBody(data, rules);
  else if (data instanceof Response && data.body !== null) {
    const { status, statusText, headers } = data;
    response.data = new Response(detachedBody(data.body, rules), { status, statusText, headers });
  } else return false;
  return true;
}

function discard(data: unknown): void {
  if (isStream(data)) data.destroy();
  else if (isWebStream(data)) void data.cancel().catch(() => undefined);
}
