import { isRecord } from '../basics/index.js';
import {
  createError,
  decodeOAuthError,
  isOAuthErrorBody,
  oauthFacts,
  sanitiseText,
  withDetails,
  type MaskinportenError,
} from '../errors/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';

/** What a token endpoint answered, before it is believed. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** A successful answer that has passed every check. */
export interface TokenAnswer {
  /** Secret. */
  readonly accessToken: string;
  /** Seconds, 0 < n ≤ 3,600; undefined when the server did not say: then the token is for use once. */
  readonly expiresInSeconds: number | undefined;
  readonly scopes: readonly string[];
}

/** Characters that are safe in a header, and a length that no real token comes near (T-32). */
const TOKEN = /^[\x21-\x7e]{1,16384}$/;
const JSON_CONTENT = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;
const MAX_LIFE_SECONDS = 3_600;

/**
 * Reads the answer of the token endpoint (RFC 6749 §5).
 *
 * @param secrets what was sent and must not come back in an error, such as the assertion
 * @throws the typed error of the fault matrix (docs/reference/faults.md); nothing of the body but its sanitised description.
 */
export function readTokenAnswer(
  answer: RawAnswer,
  request: NormalisedTokenRequest,
  secrets: readonly string[],
): TokenAnswer {
  const { status } = answer;
  if (status >= 200 && status < 300) return readSuccess(answer, request);
  throw readFailure(answer, secrets);
}

function readSuccess({ status, headers, body }: RawAnswer, request: NormalisedTokenRequest): TokenAnswer {
  const unusable = (reason: string): MaskinportenError =>
    createError('MP_PROTOCOL', { message: `The answer of the token endpoint cannot be used: ${reason}.`, status });
  if (!JSON_CONTENT.test(headers['content-type'] ?? '')) throw unusable('its content type is not JSON');
  const json = parseJson(body);
  if (!isRecord(json)) throw unusable('its body is not a JSON object');

  const accessToken = own(json, 'access_token');
  if (typeof accessToken !== 'string') throw unusable('access_token is missing');
  if (!TOKEN.test(accessToken))
    throw unusable('access_token is empty, too long or has characters that no header may carry');
  const tokenType = own(json, 'token_type');
  if (typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer') throw unusable('token_type is not Bearer');

  const expiresIn = own(json, 'expires_in');
  const expiresInSeconds = positiveNumber(expiresIn);
  if (expiresIn !== undefined && expiresInSeconds === undefined) {
    throw unusable('expires_in is not a positive number of seconds');
  }
  return {
    accessToken,
    expiresInSeconds: expiresInSeconds === undefined ? undefined : Math.min(expiresInSeconds, MAX_LIFE_SECONDS),
    scopes: grantedScopes(own(json, 'scope'), request, status, unusable),
  };
}

/** RFC 6749 §3.3: a server may grant less than was asked for and must then say so; we want all or nothing. */
function grantedScopes(
  scope: unknown,
  request: NormalisedTokenRequest,
  status: number,
  unusable: (reason: string) => MaskinportenError,
): readonly string[] {
  if (scope === undefined || scope === null) return request.scopes;
  if (typeof scope !== 'string') throw unusable('scope is not a string');
  const granted = new Set(scope.split(' '));
  const missing = request.scopes.filter((wanted) => !granted.has(wanted));
  if (missing.length === 0) return request.scopes;
  throw createError('MP_SCOPE_NOT_GRANTED', {
    message: `The token was granted without ${missing.join(', ')}.`,
    status,
    scopes: request.scopes,
  });
}

function positiveNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,10}(?:\.\d{1,3})?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? number : undefined;
}

function readFailure({ status, body }: RawAnswer, secrets: readonly string[]): MaskinportenError {
  if (status >= 300 && status < 400) {
    return createError('MP_REDIRECT', {
      message: `The token endpoint answered with a redirect (HTTP ${status}).`,
      status,
    });
  }
  const json = parseJson(body);
  const byStatus = failureByStatus(status);
  if (byStatus !== undefined) {
    // The trace id is what a support desk asks for first.
    return byStatus.retryable && isOAuthErrorBody(json) ? withDetails(byStatus, oauthFacts(json, secrets)) : byStatus;
  }
  const decoded = isOAuthErrorBody(json) ? decodeOAuthError(status, json, secrets) : undefined;
  // Gateways answer with JSON of their own, such as {"status":403,"error":"Forbidden"} (F-40).
  const foreign = decoded === undefined || (decoded.oauthError === 'unknown_error' && decoded.mpCode === undefined);
  if (foreign && (status === 401 || status === 403)) {
    return createError('MP_UPSTREAM_REJECTED', {
      message: `Something in front of the token endpoint refused the call (HTTP ${status}).`,
      status,
    });
  }
  if (decoded !== undefined) return decoded;
  return createError('MP_OAUTH', {
    message: `The token endpoint refused the request (HTTP ${status}) without saying why.`,
    status,
    oauthError: 'unknown_error',
    description: describe(json, secrets),
  });
}

/** Statuses that mean the same whatever the body says. */
function failureByStatus(status: number): MaskinportenError | undefined {
  switch (status) {
    case 404:
    case 405:
    case 410:
      return createError('MP_CONFIG_ENDPOINT', {
        message: `There is no token endpoint at this address (HTTP ${status}).`,
        status,
      });
    case 407:
      return createError('MP_PROXY', {
        message: 'The proxy asks for credentials (HTTP 407).',
        status,
        category: 'protocol',
        retryable: false,
      });
    case 408:
      return createError('MP_TIMEOUT', { message: 'The token endpoint gave up waiting (HTTP 408).', status });
    case 429:
      return createError('MP_THROTTLED', { message: 'The token endpoint asks for fewer requests (HTTP 429).', status });
    case 501:
    case 505:
    case 511:
      return createError('MP_PROTOCOL', {
        message: `The token endpoint does not speak this protocol (HTTP ${status}).`,
        status,
      });
    default:
      if (status >= 400 && status < 500) return undefined;
      return createError(status >= 500 && status < 600 ? 'MP_UPSTREAM' : 'MP_PROTOCOL', {
        message: `The token endpoint has a fault of its own (HTTP ${status}).`,
        status,
      });
  }
}

function describe(json: unknown, secrets: readonly string[]): string | undefined {
  return isRecord(json) ? sanitiseText(own(json, 'error_description'), secrets) : undefined;
}

/** What the answer says itself, not what a polluted prototype adds (T-66). */
const own = (json: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(json, name) ? json[name] : undefined;

/** @returns undefined for anything that is not JSON, including nesting so deep that the parser gives up. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
