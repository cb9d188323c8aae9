import type { FastifyReply, FastifyRequest } from 'fastify';
import { type LoggedCheck, logEntryOf, sendProblem } from '../kernel/index.js';
import {
  type MaskinportenState,
  type TokenClaims,
  TokenFailure,
  claimFailure,
  verifySignature,
} from '../maskinporten/index.js';

/** RFC 6750 §2.1 `b64token`. */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/**
 * Checks the bearer token of a request as an API should (Digdir, token). Answers 401 or 403 (RFC 6750 §3.1)
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
  const unauthorised = (failure: Pick<TokenFailure, 'check' | 'detail'>, error?: string): undefined => {
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
  const result = await verifySignature(token, state.signingKeys);
  if (result instanceof TokenFailure) return unauthorised(result, 'invalid_token');
  note({ check: 'token.signature', ok: true });
  entry.claims = result;
  if (typeof result['jti'] === 'string') entry.tokenJti = result['jti'];
  if (typeof result['client_id'] === 'string') entry.clientId = result['client_id'];
  const failure = claimFailure(result, state.world.urls().issuer, state.world, state.revokedTokens);
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
