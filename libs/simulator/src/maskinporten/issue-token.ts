import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { organisationIdentifier } from '../kernel/index.js';
import type { Grant } from './grant.js';
import type { MaskinportenState } from './maskinporten-state.js';
import { CONSENT, consumerOf, established } from './rules/index.js';

/** Altinn's test environment, as tokens name it: an API that checks the claim has to see the real value (Digdir, token). */
export const DELEGATION_SOURCE = 'https://tt02.altinn.no/';

export interface IssuedToken {
  readonly jti: string;
  /** Body of the token endpoint's answer (Digdir, token). */
  readonly body: {
    readonly access_token: string;
    readonly token_type: 'Bearer';
    readonly expires_in: number;
    readonly scope: string;
  };
}

/** The client's setting, capped by the lowest `at_max_age` of the scopes; 0 caps nothing (Digdir, token). */
function lifetimeSeconds(clientLifetime: number, scopes: readonly string[], state: MaskinportenState): number {
  const caps = scopes.map((scope) => state.scopes.get(scope)?.atMaxAge ?? 0).filter((cap) => cap > 0);
  return Math.min(clientLifetime, ...caps);
}

/** Makes the access token of a grant that passed every rule; claims as in Digdir, token. */
export async function issueToken(grant: Grant, state: MaskinportenState): Promise<IssuedToken> {
  const { clientId, orgno, tokenLifetime } = established(grant.client);
  const { authenticationMethod } = established(grant.key);
  const scopes = established(grant.scopes);
  const { issuer } = state.world.urls();
  const lifetime = lifetimeSeconds(tokenLifetime, scopes, state);
  const consumer = consumerOf(grant.claims, orgno);
  const delegated = consumer !== orgno;
  const [resource, ...more] = grant.resources ?? [];
  const iat = Math.floor(grant.nowSeconds);
  const jti = randomBytes(32).toString('base64url');
  const scope = scopes.join(' ');
  const claims = {
    ...(resource !== undefined && { aud: more.length === 0 ? resource : [resource, ...more] }),
    ...(grant.details !== undefined && { authorization_details: [grant.details] }),
    scope,
    iss: issuer,
    client_amr: authenticationMethod,
    token_type: 'Bearer',
    exp: iat + lifetime,
    iat,
    client_id: clientId,
    jti,
    ...(typeof grant.claims['pid'] === 'string' && { pid: grant.claims['pid'] }),
    consumer: organisationIdentifier(consumer),
    ...(delegated && { supplier: organisationIdentifier(orgno), delegation_source: DELEGATION_SOURCE }),
  };
  const consent = grant.details?.['type'] === CONSENT ? state.consents.get(String(grant.details['id'])) : undefined;
  if (consent !== undefined) {
    const created = new Date(iat * 1000).toISOString().replace('Z', '+00:00');
    const performedBy = `urn:altinn:organization:identifier-no:${consumer}`;
    state.consents.record(consent, { eventType: 'Used', created, performedBy });
  }
  const { kid, privateKey } = await state.signingKeys.current();
  const token = await new SignJWT(claims).setProtectedHeader({ kid, alg: 'RS256' }).sign(privateKey);
  return {
    jti,
    // What is left when the answer is written: one second less than the life (Digdir, token).
    body: { access_token: token, token_type: 'Bearer', expires_in: lifetime - 1, scope },
  };
}
