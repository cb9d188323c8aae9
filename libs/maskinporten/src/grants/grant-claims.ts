import type { NormalisedTokenRequest } from './normalised-token-request.js';

/** Life of an assertion in seconds; Maskinporten allows 120 (Digdir, JWT grant). */
export const ASSERTION_LIFETIME_SECONDS = 100;

const ORGANISATION_AUTHORITY = 'iso6523-actorid-upis';

/** The body of a grant: exactly the claims Digdir documents, in wire spelling. Anything more could be refused with HTTP 400. */
export interface GrantClaims {
  readonly aud: string;
  readonly iss: string;
  readonly scope: string;
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
  readonly resource?: readonly string[];
  readonly consumer_org?: string;
  readonly pid?: string;
  readonly authorization_details?: readonly [AuthorizationDetail];
}

/** RFC 9396; one element per token. */
export type AuthorizationDetail =
  | {
      readonly type: 'urn:altinn:systemuser';
      readonly systemuser_org: { readonly authority: string; readonly ID: string };
      readonly externalRef?: string | undefined;
    }
  | { readonly type: 'urn:altinn:consent'; readonly id: string; readonly from: string };

export interface GrantFacts {
  /** Issuer identifier, byte for byte: the only audience (RFC 10070, Digdir). */
  readonly issuer: string;
  readonly clientId: string;
  /** One reading of the (corrected) clock, in milliseconds; two readings could make `exp - iat` too long. */
  readonly nowMs: number;
  readonly jti: string;
}

/** No `sub` and no `nbf`: RFC 7523 wants a `sub`, Maskinporten does not document one (profile deviation, S-03). */
export function grantClaims(request: NormalisedTokenRequest, facts: GrantFacts): GrantClaims {
  const iat = Math.floor(facts.nowMs / 1000);
  const detail = authorizationDetail(request);
  return {
    aud: facts.issuer,
    iss: facts.clientId,
    scope: request.scope,
    iat,
    exp: iat + ASSERTION_LIFETIME_SECONDS,
    jti: facts.jti,
    ...(request.resource === undefined ? {} : { resource: request.resource }),
    ...(request.consumerOrg === undefined ? {} : { consumer_org: request.consumerOrg }),
    ...(request.pid === undefined ? {} : { pid: request.pid }),
    ...(detail === undefined ? {} : { authorization_details: [detail] as const }),
  };
}

function authorizationDetail(request: NormalisedTokenRequest): AuthorizationDetail | undefined {
  if (request.systemUser !== undefined) {
    const { organisation, externalRef } = request.systemUser;
    return {
      type: 'urn:altinn:systemuser',
      systemuser_org: { authority: ORGANISATION_AUTHORITY, ID: `0192:${organisation}` },
      externalRef,
    };
  }
  if (request.consent === undefined) return undefined;
  return { type: 'urn:altinn:consent', id: request.consent.id, from: request.consent.from };
}
