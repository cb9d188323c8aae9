// Longer than 250 lines: one call, with all that can happen to it, is read as one.
import { AsyncResource } from 'node:async_hooks';
import { Agent, buildConnector, EnvHttpProxyAgent, Pool, type Dispatcher } from 'undici';
import { errorCode, ownMembers } from '../basics/index.js';
import { createError, type MaskinportenError } from '../errors/index.js';
import { checkUrl } from './checked-url.js';
import { insecureHosts, type InsecureHosts } from './insecure-hosts.js';
import { proxySettings } from './proxy-settings.js';
import { readBody } from './response-body.js';
import { SocketLedger } from './socket-ledger.js';
import { strictTlsOptions, type TrustedCertificates } from './tls-options.js';
import { blameProxy, isCertificateFault, transportError } from './transport-error.js';

/** Something that looks like an attack or a grave mistake, for the log that a security officer reads. Nothing secret. */
export interface SecurityEvent {
  readonly type: 'server-certificate-refused' | 'metadata-issuer-mismatch' | 'metadata-endpoint-refused';
  readonly host: string;
  readonly reason: string;
}

export type SecurityEventListener = (event: SecurityEvent) => void;

export interface HttpTransportOptions {
  /** PEM certificates to trust instead of the built-in roots. */
  readonly ca?: TrustedCertificates | undefined;
  /** Proxy URL, or `environment` to obey `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. Default: none, whatever the environment says. */
  readonly proxy?: string | undefined;
  /** Hosts that may be called over `http:` besides loopback; checked by those who configure them. */
  readonly allowInsecureHosts?: readonly string[] | undefined;
  /** Sockets per origin. Default 32. */
  readonly maxConnections?: number | undefined;
  /** How long an idle socket is kept, in milliseconds. Default 60000. */
  readonly keepAliveMs?: number | undefined;
  /** Longest wait for a connection, in milliseconds. Default 2500. */
  readonly connectTimeoutMs?: number | undefined;
  /** Wall clock in milliseconds. */
  readonly now?: (() => number) | undefined;
  readonly onSecurityEvent?: SecurityEventListener | undefined;
}

export interface HttpRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds from now until the last byte of the answer. */
  readonly deadlineMs: number;
  /** Largest body, in bytes. Default 64 KiB. */
  readonly maxBytes?: number;
  /** Setting that failures of this call are blamed on. Default: the token endpoint. */
  readonly field?: string;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; repeated headers joined with a comma. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** Wall-clock readings around the request, for `ServerClock.observe`. */
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

const DEFAULT_MAX_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** Longer timers fire after one millisecond. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const staleSockets = new WeakSet<object>();

/**
 * True for an error of `HttpTransport.send` that met an idle connection which the server had already closed: nothing was
 * answered, so the call may be repeated at once, free of any budget – with a fresh assertion (F-05).
 */
export function isStaleSocket(error: unknown): boolean {
  return typeof error === 'object' && error !== null && staleSockets.has(error);
}

/**
 * The one way out to Maskinporten and Altinn: pooled sockets, strict TLS, no redirects, no proxy unless configured,
 * no decompression, a deadline and a size limit on every call. Every failure is one of our errors.
 */
export class HttpTransport {
  readonly insecureHosts: InsecureHosts;
  readonly #dispatcher: Dispatcher;
  readonly #ledger = new SocketLedger();
  readonly #now: () => number;
  readonly #onSecurityEvent: SecurityEventListener;
  #closing: Promise<void> | undefined;
  /** Sockets outlive the request that opened them and must not keep its context alive. */
  readonly #outside = new AsyncResource('MaskinportenHttpTransport');

  constructor(given: HttpTransportOptions = {}) {
    const options = ownMembers(given);
    this.insecureHosts = insecureHosts(options.allowInsecureHosts);
    this.#now = options.now ?? Date.now;
    this.#onSecurityEvent = options.onSecurityEvent ?? (() => {});
    this.#dispatcher = makeDispatcher(options, this.#ledger);
  }

  /**
   * @throws TokenEndpointUnavailableError `MP_NETWORK`, `MP_TIMEOUT`, `MP_PROXY`
   * @throws TokenResponseUnusableError `MP_TLS`, `MP_PROTOCOL`
   * @throws MaskinportenConfigurationError `MP_EGRESS_BLOCKED`, `MP_CONFIG_ENDPOINT` (an address that may not be called)
   * @throws OperationAbortedError `MP_ABORTED`
   */
  async send(given: HttpRequest): Promise<HttpResponse> {
    const request = ownMembers(given);
    const verdict = checkUrl(request.url, this.insecureHosts);
    if ('reason' in verdict) {
      const message = `The address to call ${verdict.reason}.`;
      throw createError('MP_CONFIG_ENDPOINT', { message, field: request.field });
    }
    const { signal, deadlineMs } = request;
    const controller = new AbortController();
    let deadlineHit = false;
    let status: number | undefined;
    const failed = (error: unknown): MaskinportenError => {
      const { host } = verdict.url;
      const callerAborted = signal?.aborted === true;
      return this.#translate(error, { host, status, callerAborted, deadlineMs, deadlineHit, field: request.field });
    };
    if (signal?.aborted === true) throw failed(undefined);
    const onAbort = (): void => controller.abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(
      () => {
        deadlineHit = true;
        controller.abort();
      },
      Math.min(deadlineMs, MAX_TIMER_MS),
    );
    try {
      const sentAtMs = this.#now();
      const answer = await this.#answer(verdict.url, request, controller.signal);
      const receivedAtMs = this.#now();
      status = answer.statusCode;
      const headers = plainHeaders(answer.headers);
      const body = await readBody(answer.body, headers, request.maxBytes ?? DEFAULT_MAX_BYTES);
      return { status, headers, body, sentAtMs, receivedAtMs };
    } catch (error) {
      throw failed(error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Lets running calls finish (they all have deadlines) and closes every socket. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#dispatcher.close().finally(() => this.#ledger.close());
    return this.#closing;
  }

  /** A GET that met a stale socket is sent once more: it may be repeated (RFC 9110 §9.2.2, F-05). A grant may not. */
  async #answer(url: URL, request: HttpRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#dispatch(url, request, signal);
    } catch (error) {
      if (request.method !== 'GET' || !this.#ledger.isStale(error)) throw error;
      return this.#dispatch(url, request, signal);
    }
  }

  #dispatch(url: URL, request: HttpRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    // Without a prototype, so that a polluted one adds nothing to the call.
    const options = ownMembers({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: request.method,
      // Compressed answers are not asked for: a bomb that is not unpacked does not explode.
      headers: { 'accept-encoding': 'identity', ...request.headers },
      body: request.body ?? null,
      signal,
      // One deadline covers everything; undici's own timers tick in whole seconds.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    return this.#outside.runInAsyncScope(() => this.#dispatcher.request(options));
  }

  #translate(error: unknown, call: Parameters<typeof transportError>[1]): MaskinportenError {
    const translated = transportError(error, call);
    if (translated.code === 'MP_NETWORK' && call.status === undefined && this.#ledger.isStale(error)) {
      staleSockets.add(translated);
    }
    if (translated.code === 'MP_TLS' && isCertificateFault(errorCode(error) ?? '')) {
      this.#onSecurityEvent({
        type: 'server-certificate-refused',
        host: call.host,
        reason: errorCode(error) ?? 'UNKNOWN',
      });
    }
    return translated;
  }
}

function makeDispatcher(options: HttpTransportOptions, ledger: SocketLedger): Dispatcher {
  const tls = strictTlsOptions(options.ca);
  const timeout = options.connectTimeoutMs ?? 2_500;
  const keepAlive = options.keepAliveMs ?? 60_000;
  const pool: Agent.Options = {
    connections: options.maxConnections ?? 32,
    pipelining: 1,
    keepAliveTimeout: keepAlive,
    keepAliveMaxTimeout: keepAlive,
    maxHeaderSize: MAX_HEADER_BYTES,
    allowH2: false,
  };
  const connect = watchedConnector(buildConnector({ ...tls, timeout, allowH2: false }), ledger);
  if (options.proxy === undefined) return new Agent({ ...pool, connect });
  return new EnvHttpProxyAgent({
    ...pool,
    ...proxySettings(options.proxy),
    connect,
    requestTls: { ...tls, timeout },
    proxyTls: { ...tls, timeout },
    clientFactory: proxyClient,
  });
}

/** Connections to a proxy: what fails before a tunnel is open is the proxy's fault, and is told apart by it (F-147). */
function proxyClient({ origin, host }: URL, options: object): Pool {
  const pool = new Pool(origin, options);
  const toProxy: (target: Dispatcher.ConnectOptions) => Promise<Dispatcher.ConnectData> = pool.connect.bind(pool);
  const connect = async (target: Dispatcher.ConnectOptions): Promise<Dispatcher.ConnectData> => {
    try {
      return await toProxy(target);
    } catch (error) {
      // undici takes this code for a connection that may be opened again, and would call the proxy until the deadline.
      const hungUp = errorCode(error) === 'UND_ERR_SOCKET';
      const fault = hungUp ? Object.assign(new Error('the proxy hung up'), { code: 'ECONNRESET' }) : error;
      blameProxy(fault, host);
      throw fault;
    }
  };
  return Object.defineProperty(pool, 'connect', { value: connect });
}

function watchedConnector(connector: buildConnector.connector, ledger: SocketLedger): buildConnector.connector {
  return (options, callback) => {
    connector(options, (...result) => {
      const [error, socket] = result;
      if (error === null) ledger.watch(socket);
      callback(...result);
    });
  };
}

function plainHeaders(headers: Dispatcher.ResponseData['headers']): Readonly<Record<string, string | undefined>> {
  const plain: Record<string, string | undefined> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    plain[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return plain;
}
