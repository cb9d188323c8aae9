import type { FastifyReply, FastifyRequest } from 'fastify';
import { decodeJwt } from 'jose';
import { isRecord, logEntryOf } from '../kernel/index.js';
import { type TokenClaims, TokenFailure, claimFailure, verifySignature } from '../maskinporten/index.js';
import type { AltinnState } from './altinn-state.js';

/** Who sent a request, by a token that was verified. */
export interface Caller {
  /** Whose token it is: Maskinporten's own, or Altinn's after exchange. */
  readonly kind: 'maskinporten' | 'altinn';
  readonly token: string;
  readonly claims: TokenClaims;
  readonly scopes: readonly string[];
  /** Organisation number of the `consumer`: the vendor. */
  readonly vendor: string | undefined;
  /** Id of the system user that the token is for. */
  readonly systemUserId: string | undefined;
}

/** RFC 6750 §2.1 `b64token`. */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/** Adds a verdict to the log entry of a request. */
export function note(request: FastifyRequest, check: string, ok: boolean, detail?: string): void {
  const entry = logEntryOf(request);
  entry.checks = [...entry.checks, { check, ok, ...(detail !== undefined && { detail }) }];
}

function issuerOf(token: string): unknown {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

function organisationOf(identifier: unknown): string | undefined {
  // `ID` in capitals, and never a bare number: that is how Altinn's parser reads it (Altinn, source of authentication).
  const id = isRecord(identifier) ? identifier['ID'] : undefined;
  return typeof id === 'string' && /^0192:\d{9}$/.test(id) ? id.slice(5) : undefined;
}

function systemUserIdOf(details: unknown): string | undefined {
  const entries: readonly unknown[] = Array.isArray(details) ? details : [details];
  const entry = entries.find((candidate) => isRecord(candidate) && candidate['type'] === 'urn:altinn:systemuser');
  const ids: unknown = isRecord(entry) ? entry['systemuser_id'] : undefined;
  const id: unknown = Array.isArray(ids) ? ids[0] : ids;
  return typeof id === 'string' ? id : undefined;
}

/** Verifies the bearer token of a request; writes the verdicts into the log, and nothing to the reply. */
export async function identify(request: FastifyRequest, altinn: AltinnState): Promise<Caller | TokenFailure> {
  const entry = logEntryOf(request);
  entry.kind = 'call';
  const fail = (failure: TokenFailure): TokenFailure => {
    note(request, failure.check, false, failure.detail);
    entry.refusal = { error: 'unauthenticated', errorDescription: failure.detail };
    return failure;
  };
  const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) return fail(new TokenFailure('token.present', 'There is no bearer token'));
  note(request, 'token.present', true);
  const { world, maskinporten } = altinn;
  const kind = issuerOf(token) === altinn.issuer ? 'altinn' : 'maskinporten';
  const [iss, keys] =
    kind === 'altinn' ? [altinn.issuer, altinn.signingKeys] : [world.urls().issuer, maskinporten.signingKeys];
  const claims = await verifySignature(token, keys);
  if (claims instanceof TokenFailure) return fail(claims);
  note(request, 'token.signature', true, `a token of ${kind === 'altinn' ? 'Altinn' : 'Maskinporten'}`);
  entry.claims = claims;
  if (typeof claims['jti'] === 'string') entry.tokenJti = claims['jti'];
  if (typeof claims['client_id'] === 'string') entry.clientId = claims['client_id'];
  const failure = claimFailure(claims, iss, world, maskinporten.revokedTokens);
  if (failure !== undefined) return fail(failure);
  note(request, 'token.claims', true);
  return {
    kind,
    token,
    claims,
    scopes: typeof claims['scope'] === 'string' ? claims['scope'].split(' ') : [],
    vendor: organisationOf(claims['consumer']),
    systemUserId: systemUserIdOf(claims['authorization_details']),
  };
}

export interface Demands {
  /** One of these scopes. */
  readonly scopes: readonly string[];
  /** `altinn`: only an exchanged token will do. */
  readonly token?: 'altinn' | 'either';
}

/** Whether the caller has one of the scopes; notes it. */
export function hasScope(request: FastifyRequest, caller: Caller, scopes: readonly string[]): boolean {
  const held = scopes.find((scope) => caller.scopes.includes(scope));
  const missing = `the token does not hold ${scopes.join(' or ')}`;
  note(request, 'token.scope', held !== undefined, held ?? missing);
  if (held === undefined) {
    logEntryOf(request).refusal = { error: 'insufficient_scope', errorDescription: missing };
  }
  return held !== undefined;
}

/** Whether it is a token of Altinn, where a raw Maskinporten token will not do; notes it. */
export function isExchanged(request: FastifyRequest, caller: Caller): boolean {
  const ok = caller.kind === 'altinn';
  const detail = ok ? 'exchanged' : 'a raw Maskinporten token; this API takes exchanged tokens only';
  note(request, 'token.exchanged', ok, detail);
  if (!ok) logEntryOf(request).refusal = { error: 'unauthenticated', errorDescription: detail };
  return ok;
}

export function emptyAnswer(reply: FastifyReply, status: 401 | 403): FastifyReply {
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(status).send('');
}

/** Answers 401 or 403 with an empty body, as Altinn's platform does (Altinn, system users), and gives `undefined` then. */
export async function authenticate(
  request: FastifyRequest,
  reply: FastifyReply,
  altinn: AltinnState,
  demands: Demands,
): Promise<Caller | undefined> {
  const caller = await identify(request, altinn);
  if (caller instanceof TokenFailure || (demands.token === 'altinn' && !isExchanged(request, caller))) {
    emptyAnswer(reply, 401);
    return undefined;
  }
  if (hasScope(request, caller, demands.scopes)) return caller;
  emptyAnswer(reply, 403);
  return undefined;
}
