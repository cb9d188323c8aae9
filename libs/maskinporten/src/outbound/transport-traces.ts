import { AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { isMaskinportenError } from '../errors/index.js';
import { hideAgents } from './hidden-agent.js';

/** What the caller may see of one call: its own configuration. What was really sent holds the token. */
export interface Trace {
  readonly config: InternalAxiosRequestConfig;
  readonly sent: InternalAxiosRequestConfig;
  readonly token: string | undefined;
}

const OF_A_RESPONSE = new Set(['data', 'status', 'statusText', 'headers', 'config', 'request']);
/** Replaced rather than removed. */
const OF_AN_ERROR = new Set<PropertyKey>(['config', 'request', 'response']);

/**
 * Takes every trace of the token out of an answer: the sent configuration is replaced by the caller's own, and the
 * request object, whose raw header text holds the token, is dropped (T-04). Of what an adapter adds, texts and numbers
 * stay.
 */
export function cleanResponse(response: AxiosResponse, { config, sent }: Trace): AxiosResponse {
  hideAgents(config);
  for (const name of Object.keys(response)) {
    if (!OF_A_RESPONSE.has(name) && isHolder(Reflect.get(response, name))) Reflect.deleteProperty(response, name);
  }
  response.config = config;
  response.request = undefined;
  // What an adapter hands back of its own input.
  if ((response.headers as unknown) === sent.headers) response.headers = {};
  if (response.data === sent || response.data === sent.headers) response.data = undefined;
  return response;
}

/**
 * The same for a failure, however it came about: rejected, thrown, or something that is not an error at all. It stays the
 * error it is, without whatever else it carried (T-01, T-03, F-145).
 */
export function cleanFailure(error: unknown, trace: Trace): unknown {
  // Ours carry no transport.
  if (isMaskinportenError(error)) return error;
  const { config, token } = trace;
  hideAgents(config);
  if (typeof error !== 'object' || error === null || !('message' in error)) {
    return new AxiosError('the adapter failed without an error', AxiosError.ERR_BAD_RESPONSE, config);
  }
  const members = error as Members;
  try {
    withoutHolders(members, token, OF_AN_ERROR);
    if (members['config'] !== undefined) members['config'] = config;
    if (members['request'] !== undefined) members['request'] = undefined;
    if (isResponse(members['response'])) cleanResponse(members['response'], trace);
    else if (members['response'] !== undefined) members['response'] = undefined;
    return error;
  } catch {
    // Frozen, or with members that cannot be changed: nothing of it is handed on but its code.
    const code = typeof members['code'] === 'string' ? members['code'] : AxiosError.ERR_BAD_RESPONSE;
    return new AxiosError('the call failed', code, config);
  }
}

/** The same for fetch, whose own errors name no request; another transport may put it anywhere. */
export function cleanFetchFailure(error: unknown, token: string): unknown {
  if (isMaskinportenError(error)) return error;
  if (typeof error !== 'object' || error === null || !('message' in error)) {
    return new TypeError('fetch failed without an error');
  }
  const cause = 'cause' in error && isHolder(error.cause) ? textOnly(error.cause as object, token) : undefined;
  try {
    withoutHolders(error, token, new Set());
    if (cause !== undefined)
      Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
    return error;
  } catch {
    return new TypeError('fetch failed');
  }
}

/** A cause that says what it said, and holds nothing: `ECONNREFUSED`, its message. */
function textOnly(cause: object, token: string): Error {
  const { message, code, name } = cause as { message?: unknown; code?: unknown; name?: unknown };
  const copy = new Error(typeof message === 'string' ? message.replaceAll(token, '[token]') : '');
  if (typeof name === 'string') copy.name = name;
  return typeof code === 'string' || typeof code === 'number' ? Object.assign(copy, { code }) : copy;
}

type Members = Record<PropertyKey, unknown>;

/** Removes every object that hangs on an error, and the token from its texts. */
function withoutHolders(members: Members, token: string | undefined, kept: ReadonlySet<PropertyKey>): void {
  for (const name of Reflect.ownKeys(members)) {
    const value = members[name];
    // Agents, interceptors and adapters put whatever they like there; message and code are on the error itself.
    if (isHolder(value)) {
      if (!kept.has(name) && !Reflect.deleteProperty(members, name)) throw new TypeError('it cannot be removed');
    } else if (token !== undefined && typeof value === 'string' && value.includes(token)) {
      members[name] = value.replaceAll(token, '[token]');
    }
  }
}

export const isResponse = (value: unknown): value is AxiosResponse =>
  typeof value === 'object' && value !== null && 'status' in value && typeof value.status === 'number';

const isHolder = (value: unknown): boolean =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';
