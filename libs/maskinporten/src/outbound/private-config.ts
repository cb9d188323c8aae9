import type { AxiosRequestHeaders, GenericAbortSignal, InternalAxiosRequestConfig } from 'axios';
import { isCallerMarker } from './caller-marker.js';
import { revealAgents } from './hidden-agent.js';

/** The parts of a call that the sent copy has differently. */
export interface SentParts {
  /** Absolute address; undefined leaves the caller's own `url` and `baseURL`. */
  readonly href: string | undefined;
  readonly token: string;
  readonly traceparent: string | undefined;
  readonly signal: GenericAbortSignal;
  /** Decoded bytes; Infinity for no limit. */
  readonly maxContentLength: number;
  readonly isFetch: boolean;
}

/** Settled by us, or ours alone: not copied. */
const REPLACED = new Set(['headers', 'signal', 'maxRedirects', 'proxy', 'maskinporten', 'maxContentLength']);
const REPLACED_WITH_ADDRESS = new Set([...REPLACED, 'url', 'baseURL']);

/**
 * What is really sent: a copy that holds the token. The caller's own objects are never changed, so they never hold it.
 * Copied key by key: spreading axios's prototype-less configuration takes twice as long as everything else here.
 */
export function privateConfig(config: InternalAxiosRequestConfig, parts: SentParts): InternalAxiosRequestConfig {
  const { href } = parts;
  const replaced = href === undefined ? REPLACED : REPLACED_WITH_ADDRESS;
  const sent: InternalAxiosRequestConfig = {
    headers: headersWith(config.headers, `Bearer ${parts.token}`, parts.traceparent),
    signal: parts.signal,
    maxRedirects: 0,
    maxContentLength: parts.maxContentLength,
    // The environment must not decide who sees a token (T-14); a proxy that was configured in code is respected.
    proxy: config.proxy ?? false,
  };
  const source = config as unknown as Record<string, unknown>;
  const target = sent as unknown as Record<string, unknown>;
  for (const key of Object.keys(source)) {
    if (!replaced.has(key)) target[key] = source[key];
  }
  if (href !== undefined) sent.url = href;
  revealAgents(sent);
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

/** Puts the marker where the credentials will be. What is there already is not a credential. */
export function setMarker(headers: AxiosRequestHeaders, marker: string): void {
  for (const name of Object.keys(headers)) if (isAuthorization(name)) delete headers[name];
  headers['Authorization'] = marker;
}

/** Takes the marker out of headers that are handed to the caller. */
export function removeMarker(headers: unknown): void {
  if (typeof headers !== 'object' || headers === null) return;
  const members = headers as Record<string, unknown>;
  for (const name of Object.keys(members)) {
    if (isAuthorization(name) && isCallerMarker(members[name])) delete members[name];
  }
}

const isAuthorization = (name: string): boolean => name.length === 13 && name.toLowerCase() === 'authorization';

/** Something that stands for somebody: not empty, and not the marker. */
export const isCredential = (value: unknown): boolean =>
  (typeof value === 'string' && value.trim() !== '' && !isCallerMarker(value)) ||
  (Array.isArray(value) && value.length > 0 && !value.some(isCallerMarker));
