// From what a caller wants to what is signed: requests, claims, cache key, assertion.
export type { TokenRequest, TokenRequestInput } from './token-request.js';
export { NormalisedTokenRequest } from './normalised-token-request.js';
export { normaliseTokenRequest } from './normalise-token-request.js';
export type { RequestContext } from './normalise-token-request.js';
export { RequestMemo } from './request-memo.js';
export { isExternalRef } from './external-ref.js';
export { parseOrganisationNumber } from './organisation-number.js';
export { isPersonNumber } from './person-number.js';
export { parseScopes } from './scope.js';
export type { ScopesResult } from './scope.js';
export { ASSERTION_LIFETIME_SECONDS, grantClaims } from './grant-claims.js';
export type { AuthorizationDetail, GrantClaims } from './grant-claims.js';
export { cacheKey } from './cache-key.js';
export type { CacheIdentity } from './cache-key.js';
export { AssertionFactory } from './assertion.js';
export type { Assertion } from './assertion.js';
