import { createHash } from 'node:crypto';
import type { NormalisedTokenRequest } from './normalised-token-request.js';

/** Who asks: the part of the cache key that does not change from request to request. */
export interface CacheIdentity {
  readonly issuer: string;
  readonly clientId: string;
  /** `SigningKey.identity` */
  readonly keyIdentity: string;
}

/**
 * Digest of everything that decides which token comes back: the claims to be signed, issuer, client and key. For places
 * outside the process (a shared store); inside, the structured lookup needs no hashing.
 *
 * @returns SHA-256 in base64url, 43 characters
 */
export function cacheKey(request: NormalisedTokenRequest, identity: CacheIdentity): string {
  const { issuer, clientId, keyIdentity } = identity;
  return createHash('sha256')
    .update(JSON.stringify([issuer, clientId, keyIdentity, request.canonical]))
    .digest('base64url');
}
