import type { FastifyRequest } from 'fastify';
import { isRecord, logEntryOf } from '../kernel/index.js';
import { type MaskinportenState, TokenFailure, claimFailure, verifySignature } from '../maskinporten/index.js';
import { type Refusal, note } from './answers.js';

/** RFC 6750 §2.1 `b64token`. */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/** Each also lets its holder read (Digdir's table of scopes for the API). */
const CHANGE_SCOPES = ['idporten:dcr.write', 'idporten:dcr.modify'];
const READ_SCOPES = ['idporten:dcr.read', ...CHANGE_SCOPES];

/** An organisation that administers its own clients, by a token that was verified. */
export interface Administrator {
  readonly orgno: string;
}

function unauthorised({ check, detail }: TokenFailure): Refusal {
  return { status: 401, check, error: 'invalid_token', description: detail };
}

/** Verifies the bearer token of a request, and that it holds a scope for what the request wants. */
export async function administratorOf(
  request: FastifyRequest,
  state: MaskinportenState,
  wants: 'read' | 'change',
): Promise<Administrator | Refusal> {
  const entry = logEntryOf(request);
  entry.kind = 'call';
  const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) return unauthorised(new TokenFailure('token.present', 'There is no bearer token'));
  note(request, 'token.present', true);
  const claims = await verifySignature(token, state.signingKeys);
  if (claims instanceof TokenFailure) return unauthorised(claims);
  note(request, 'token.signature', true);
  entry.claims = claims;
  if (typeof claims['jti'] === 'string') entry.tokenJti = claims['jti'];
  if (typeof claims['client_id'] === 'string') entry.clientId = claims['client_id'];
  const failure = claimFailure(claims, state.world.urls().issuer, state.world, state.revokedTokens);
  if (failure !== undefined) return unauthorised(failure);
  note(request, 'token.claims', true);
  const granted = typeof claims['scope'] === 'string' ? claims['scope'].split(' ') : [];
  const scopes = wants === 'read' ? READ_SCOPES : CHANGE_SCOPES;
  const held = scopes.find((scope) => granted.includes(scope));
  if (held === undefined) {
    const description = `The token does not hold ${scopes.join(' or ')}`;
    return { status: 403, check: 'token.scope', error: 'insufficient_scope', description };
  }
  note(request, 'token.scope', true, held);
  return { orgno: consumerOf(claims['consumer']) };
}

function consumerOf(consumer: unknown): string {
  const id: unknown = isRecord(consumer) ? consumer['ID'] : undefined;
  return typeof id === 'string' ? id.replace(/^0192:/, '') : '';
}
