import type { FastifyReply, FastifyRequest } from 'fastify';
import { compactVerify, decodeProtectedHeader } from 'jose';
import { type LoggedCheck, isRecord, logEntryOf, sendProblem } from '../kernel/index.js';
import type { MaskinportenState } from '../maskinporten/index.js';

/** How far the clocks of issuer and API may differ (protocol reference §11), seconds. */
const SKEW_SECONDS = 10;

export type TokenClaims = Readonly<Record<string, unknown>>;

type Failure = { readonly check: string; readonly detail: string };

/** RFC 6750 §2.1 `b64token`. */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

async function verify(token: string, state: MaskinportenState): Promise<TokenClaims | Failure> {
  try {
    const { kid } = decodeProtectedHeader(token);
    const key = kid === undefined ? undefined : state.signingKeys.find(kid);
    if (key === undefined) return { check: 'token.key', detail: 'The key of the token is not in the JWKS' };
    const { payload } = await compactVerify(token, key.publicKey, { algorithms: ['RS256', 'RS384', 'RS512'] });
    const claims: unknown = JSON.parse(new TextDecoder().decode(payload));
    return isRecord(claims) ? claims : { check: 'token.claims', detail: 'The token holds no claims' };
  } catch {
    return { check: 'token.signature', detail: 'The token is malformed or its signature is wrong' };
  }
}

function claimFailure(claims: TokenClaims, state: MaskinportenState): Failure | undefined {
  const { clock, urls } = state.world;
  const now = clock.nowSeconds();
  const { iss, exp, iat, jti } = claims;
  if (iss !== urls().issuer) return { check: 'token.iss', detail: 'The token has another issuer' };
  if (typeof exp !== 'number' || exp + 0 <= now) return { check: 'token.exp', detail: 'The token is expired' };
  if (typeof iat !== 'number' || iat > now + SKEW_SECONDS) {
    return { check: 'token.iat', detail: 'The token is not valid yet' };
  }
  if (typeof jti !== 'string' || state.revokedTokens.get(jti) !== undefined) {
    return { check: 'token.not_revoked', detail: 'The token is refused by the operator' };
  }
  return undefined;
}

/**
 * Checks the bearer token of a request as an API should (protocol reference §11). Answers 401 or 403 (RFC 6750 §3.1)
 * and gives `undefined` when it is not good enough.
 */
export async function authorise(
  request: FastifyRequest,
  reply: FastifyReply,
  state: MaskinportenState,
  scope?: string,
): Promise<TokenClaims | undefined> {
  const entry = logEntryOf(request);
  entry.kind = 'call';
  const note = (check: LoggedCheck): void => {
    entry.checks = [...entry.checks, check];
  };
  const unauthorised = (failure: Failure, error?: string): undefined => {
    note({ check: failure.check, ok: false, detail: failure.detail });
    entry.refusal = { error: error ?? 'unauthenticated', errorDescription: failure.detail };
    const challenge = error ? `Bearer error="${error}", error_description="${failure.detail}"` : 'Bearer';
    sendProblem(reply.header('www-authenticate', challenge), 401, 'Unauthorized', { detail: failure.detail });
    return undefined;
  };

  const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
  // A request without a token gets a challenge without a reason (RFC 6750 §3.1); a token in the URL is none (§5.3).
  if (token === undefined) return unauthorised({ check: 'token.present', detail: 'There is no bearer token' });
  note({ check: 'token.present', ok: true });
  const result = await verify(token, state);
  if (isFailure(result)) return unauthorised(result, 'invalid_token');
  note({ check: 'token.signature', ok: true });
  entry.claims = result;
  if (typeof result['jti'] === 'string') entry.tokenJti = result['jti'];
  if (typeof result['client_id'] === 'string') entry.clientId = result['client_id'];
  const failure = claimFailure(result, state);
  if (failure !== undefined) return unauthorised(failure, 'invalid_token');
  note({ check: 'token.claims', ok: true });
  if (scope === undefined) return result;
  const granted = typeof result['scope'] === 'string' ? result['scope'].split(' ') : [];
  if (granted.includes(scope)) {
    note({ check: 'token.scope', ok: true, detail: scope });
    return result;
  }
  const detail = `The token does not hold the scope ${scope}`;
  note({ check: 'token.scope', ok: false, detail });
  entry.refusal = { error: 'insufficient_scope', errorDescription: detail };
  const challenge = `Bearer error="insufficient_scope", error_description="${detail}", scope="${scope}"`;
  sendProblem(reply.header('www-authenticate', challenge), 403, 'Forbidden', { detail });
  return undefined;
}

function isFailure(result: TokenClaims | Failure): result is Failure {
  return typeof result['check'] === 'string' && typeof result['detail'] === 'string';
}
