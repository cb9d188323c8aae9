import { isRecord } from '../basics/index.js';
import type { MaskinportenError } from '../errors/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';
import type { ExchangedToken } from '../tokens/index.js';
import { unusableAnswer } from './refused-answer.js';
import { systemUserOf } from './system-user-claim.js';
import { type WireRecord } from './wire.js';

/** Longest life that is believed, in seconds: as for Maskinporten's own tokens. */
const MAX_LIFE_SECONDS = 3_600;
const TOKEN = /^[\x21-\x7e]{1,16384}$/;
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const WHAT = 'token exchange';

/**
 * Reads the answer of the exchange. The token is not for us, so its signature is not checked: it came over TLS from the
 * configured platform. But a token for another customer or with fewer scopes than were asked for is never cached (T-54).
 *
 * @param body the JWT itself, or the same as a JSON string
 * @param nowMs wall clock, for tokens that do not say when they were issued
 * @throws TokenResponseUnusableError (`MP_PROTOCOL`), without any part of the token.
 */
export function readExchangedToken(body: string, request: NormalisedTokenRequest, nowMs: number): ExchangedToken {
  const value = unquoted(body.trim());
  if (!TOKEN.test(value) || !COMPACT_JWS.test(value)) throw refusal('it is not a JWT');
  const claims = claimsOf(value);
  checkScopes(claims, request);
  checkSystemUser(claims, request);
  return { value, expiresInSeconds: lifeSeconds(claims, nowMs) };
}

/** A client that asks for JSON may get the token as a JSON string (Altinn, token exchange). */
function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : '';
  } catch {
    return '';
  }
}

function claimsOf(token: string): WireRecord {
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  } catch {
    // The parser's message quotes its input (T-10).
  }
  if (isRecord(claims)) return claims;
  throw refusal('the claims of the token cannot be read');
}

/** From the token's own times, so that a wrong clock on this machine neither shortens nor prolongs it. */
function lifeSeconds({ exp, iat }: WireRecord, nowMs: number): number {
  if (typeof exp !== 'number' || !Number.isFinite(exp)) throw refusal('the token does not say when it ends');
  const start = typeof iat === 'number' && Number.isFinite(iat) ? iat : nowMs / 1000;
  const seconds = Math.min(exp - start, MAX_LIFE_SECONDS);
  if (!(seconds > 0)) throw refusal('the token has ended before it came');
  return seconds;
}

function checkScopes({ scope }: WireRecord, request: NormalisedTokenRequest): void {
  if (typeof scope !== 'string') return;
  const granted = new Set(scope.split(' '));
  if (!request.scopes.every((wanted) => granted.has(wanted)))
    throw refusal('the token has fewer scopes than asked for');
}

function checkSystemUser(claims: WireRecord, request: NormalisedTokenRequest): void {
  const detail = systemUserOf(claims);
  if (request.systemUser === undefined) {
    if (detail !== undefined) throw refusal('the token is a system user’s, which was not asked for');
    return;
  }
  if (!isRecord(detail) || detail.organisation !== request.systemUser.organisation) {
    throw refusal('the token is not for the organisation that was asked for');
  }
}

const refusal = (reason: string): MaskinportenError => unusableAnswer(WHAT, reason);
