import type { AxiosRequestHeaders, GenericAbortSignal, InternalAxiosRequestConfig } from 'axios';

/** The parts of a call that the sent copy has differently. */
export interface SentParts {
  readonly href: string;
  readonly token: string;
  readonly traceparent: string | undefined;
  readonly signal: GenericAbortSignal;
  readonly maxResponseBytes: number;
  readonly isFetch: boolean;
}

/** Settled by us, or ours alone: not copied. */
const REPLACED = new Set(['url', 'baseURL', 'headers', 'signal', 'maxRedirects', 'proxy', 'maskinporten']);

/**
 * What is really sent: a copy that holds the token. The caller's own objects are never changed, so they never hold it.
 * Copied key by key: spreading axios's prototype-less configuration takes twice as long as everything else here.
 */
export function privateConfig(config: InternalAxiosRequestConfig, parts: SentParts): InternalAxiosRequestConfig {
  const sent: InternalAxiosRequestConfig = {
    url: parts.href,
    headers: headersWith(config.headers, `Bearer ${parts.token}`, parts.traceparent),
    signal: parts.signal,
    maxRedirects: 0,
    // The environment must not decide who sees a token (T-14); a proxy that was configured in code is respected.
    proxy: config.proxy ?? false,
  };
  const source = config as unknown as Record<string, unknown>;
  const target = sent as unknown as Record<string, unknown>;
  for (const key of Object.keys(source)) {
    if (!REPLACED.has(key)) target[key] = source[key];
  }
  const { maxContentLength } = sent;
  if (maxContentLength === undefined || maxContentLength < 0) sent.maxContentLength = parts.maxResponseBytes;
  if (parts.isFetch) sent.fetchOptions = { ...config.fetchOptions, redirect: 'manual' };
  return sent;
}

/**
 * A copy of the headers with ours. Any other spelling of the name goes first, also one that was switched off with
 * `false`: axios would leave that in place and send the call without any token.
 */
function headersWith(
  headers: AxiosRequestHeaders,
  authorization: string,
  traceparent: string | undefined,
): AxiosRequestHeaders {
  const copy = Object.create(Object.getPrototypeOf(headers) as object) as AxiosRequestHeaders;
  let traced = traceparent === undefined;
  for (const name of Object.keys(headers)) {
    if (!isAuthorization(name)) copy[name] = headers[name];
    // Whoever traces the calls themselves knows better which span they belong to.
    if (!traced && name.toLowerCase() === 'traceparent') traced = true;
  }
  if (!traced) copy['traceparent'] = traceparent;
  copy['Authorization'] = authorization;
  return copy;
}

/** Somebody else's credentials are left alone: a header in any case, from the call or the instance, or axios's `auth`. */
export function hasOwnAuthorization({ auth, headers }: InternalAxiosRequestConfig): boolean {
  if (auth !== undefined && auth !== null) return true;
  return Object.keys(headers).some((name) => isAuthorization(name) && isCredential(headers[name]));
}

const isAuthorization = (name: string): boolean => name.length === 13 && name.toLowerCase() === 'authorization';

const isCredential = (value: unknown): boolean =>
  (typeof value === 'string' && value.trim() !== '') || (Array.isArray(value) && value.length > 0);
