import { errorCode } from '../basics/index.js';
import { createError, type MaskinportenError, type MaskinportenErrorCode } from '../errors/index.js';

export interface FailedCall {
  /** Host and port, for the message. */
  readonly host: string;
  /** Status of the answer when its headers had come. */
  readonly status?: number | undefined;
  readonly callerAborted: boolean;
  readonly deadlineMs: number;
  readonly deadlineHit: boolean;
  readonly field?: string | undefined;
}

/** Our own refusal of an answer, before it becomes an error; `reason` completes "The answer of <host> …". */
export class UnacceptableAnswer extends Error {}

const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);
const BLOCKED = new Set(['EACCES', 'EPERM', 'ERR_ACCESS_DENIED']);
const MALFORMED = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);
const CLOSED = new Set(['UND_ERR_CLOSED', 'UND_ERR_DESTROYED']);
const MISUSE = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED', 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH']);

/** X.509 verification results of OpenSSL as Node names them (`node:tls` documentation, "X509 certificate error codes"). */
const CERTIFICATE =
  /^(?:CERT_|CRL_|UNABLE_TO_|ERROR_IN_C|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT_IN_CHAIN$|INVALID_|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$|EE_KEY_TOO_SMALL$|CA_|ERR_TLS_CERT_|UND_ERR_PRX_TLS$)/;
const HANDSHAKE = /^(?:EPROTO$|ERR_SSL_|ERR_TLS_|ERR_OSSL_)/;
/** Failures to reach a proxy, with its host and port. */
const proxyFaults = new WeakMap<object, string>();

/** Marks an error of a connection to a proxy, which is not the fault of the server behind it. */
export function blameProxy(error: unknown, proxy: string): void {
  if (typeof error === 'object' && error !== null) proxyFaults.set(error, proxy);
}

/** undici reports a refused CONNECT in words only. */
const PROXY_ANSWER = /^Proxy response \((\d{3})\)/;

/**
 * Turns a failure of the HTTP client into one of ours. Only its code is looked at and only its code is shown: its text,
 * its cause and its other properties may hold headers, bodies and addresses.
 */
export function transportError(error: unknown, call: FailedCall): MaskinportenError {
  if (call.callerAborted) return make('MP_ABORTED', 'The caller stopped waiting for the answer', call);
  if (call.deadlineHit) return make('MP_TIMEOUT', `${call.host} did not answer within ${call.deadlineMs} ms`, call);
  if (error instanceof UnacceptableAnswer)
    return make('MP_PROTOCOL', `The answer of ${call.host} ${error.message}`, call);
  const proxyStatus = PROXY_ANSWER.exec(textOf(error, 'message'))?.[1];
  if (proxyStatus !== undefined) return proxyError(Number(proxyStatus), call);
  const code = errorCode(error) ?? 'UNKNOWN';
  const proxy = typeof error === 'object' && error !== null ? proxyFaults.get(error) : undefined;
  if (proxy !== undefined) return unreachableProxy(proxy, code);
  if (TIMEOUTS.has(code)) return make('MP_TIMEOUT', `${call.host} did not answer in time (${code})`, call);
  if (BLOCKED.has(code))
    return make('MP_EGRESS_BLOCKED', `The connection to ${call.host} is not allowed (${code})`, call);
  if (isCertificateFault(code)) {
    return make('MP_TLS', `${call.host} did not present a certificate that is trusted for it (${code})`, call);
  }
  if (HANDSHAKE.test(code)) return make('MP_TLS', `The TLS handshake with ${call.host} failed (${code})`, call);
  const malformed = isParserFault(error, code);
  if (call.status !== undefined && !(malformed && !textOf(error, 'message').includes('Invalid EOF state'))) {
    return make('MP_NETWORK', `The answer of ${call.host} was cut short (${code})`, call);
  }
  if (malformed || MALFORMED.has(code)) {
    return make('MP_PROTOCOL', `The answer of ${call.host} is not acceptable HTTP (${code})`, call);
  }
  if (CLOSED.has(code)) return make('MP_ABORTED', 'The HTTP client has been closed', call);
  if (MISUSE.has(code)) return make('MP_CONFIG', `The call to ${call.host} could not be made (${code})`, call);
  return make('MP_NETWORK', `${call.host} could not be reached (${code})`, call);
}

/** True for codes that say the server's certificate is not acceptable: worth telling a security officer (F-20 to F-22). */
export function isCertificateFault(code: string): boolean {
  return CERTIFICATE.test(code);
}

/** undici's parser names its errors, and gives only some of them a code. */
function isParserFault(error: unknown, code: string): boolean {
  return code.startsWith('HPE_') || textOf(error, 'name') === 'HTTPParserError';
}

/** Errors of the core may come from another realm (worker, test runner), so `instanceof` is not asked. */
function textOf(error: unknown, name: string): string {
  if (typeof error !== 'object' || error === null) return '';
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : '';
}

/** 407 and other refusals stay refused; 5xx may pass; 403 is how proxies say that a policy forbids the destination. */
function proxyError(status: number, call: FailedCall): MaskinportenError {
  const field = PROXY_SETTING;
  const message = `The proxy on the way to ${call.host} answered ${status}.`;
  if (status === 403) return createError('MP_EGRESS_BLOCKED', { message, field });
  if (status >= 500) return createError('MP_PROXY', { message, field });
  return createError('MP_PROXY', { message, field, category: 'protocol', retryable: false });
}

/** F-147: nobody should look for the fault at the token endpoint. */
function unreachableProxy(proxy: string, code: string): MaskinportenError {
  const field = PROXY_SETTING;
  if (isCertificateFault(code) || HANDSHAKE.test(code)) {
    const message = `The proxy ${proxy} could not be reached over TLS (${code}).`;
    return createError('MP_TLS', { message, field });
  }
  return createError('MP_PROXY', { message: `The proxy ${proxy} could not be reached (${code}).`, field });
}

const PROXY_SETTING = 'http.proxy';

function make(code: MaskinportenErrorCode, what: string, call: FailedCall): MaskinportenError {
  return createError(code, { message: `${what}.`, status: call.status, field: call.field });
}
