import { compactVerify, decodeProtectedHeader } from 'jose';
import { type World, isRecord } from '../kernel/index.js';
import type { MaskinportenState } from './maskinporten-state.js';
import type { SigningKeys } from './signing-keys.js';

/** How far the clocks of issuer and API may differ (Digdir, token), seconds. */
const SKEW_SECONDS = 10;

export type TokenClaims = Readonly<Record<string, unknown>>;

/** Why a token is not taken: the check that failed, and what to tell. */
export class TokenFailure {
  constructor(
    readonly check: string,
    readonly detail: string,
  ) {}
}

/** Who issues the tokens that are examined. */
export interface TokenIssuer {
  readonly iss: string;
  readonly keys: SigningKeys;
}

/** Verifies the signature alone; claims or the failure. */
export async function verifySignature(token: string, keys: SigningKeys): Promise<TokenClaims | TokenFailure> {
  try {
    const { kid } = decodeProtectedHeader(token);
    const key = kid === undefined ? undefined : keys.find(kid);
    if (key === undefined) return new TokenFailure('token.key', 'The key of the token is not in the JWKS');
    const { payload } = await compactVerify(token, key.publicKey, { algorithms: ['RS256', 'RS384', 'RS512'] });
    const claims: unknown = JSON.parse(new TextDecoder().decode(payload));
    return isRecord(claims) ? claims : new TokenFailure('token.claims', 'The token holds no claims');
  } catch {
    return new TokenFailure('token.signature', 'The token is malformed or its signature is wrong');
  }
}

/** What is wrong with the claims of a token whose signature is right, or `undefined`. */
export function claimFailure(
  claims: TokenClaims,
  iss: string,
  world: World,
  revoked: MaskinportenState['revokedTokens'],
): TokenFailure | undefined {
  const now = world.clock.nowSeconds();
  const { exp, iat, jti } = claims;
  if (claims['iss'] !== iss) return new TokenFailure('token.iss', 'The token has another issuer');
  if (typeof exp !== 'number' || exp <= now) return new TokenFailure('token.exp', 'The token is expired');
  if (typeof iat !== 'number' || iat > now + SKEW_SECONDS) {
    return new TokenFailure('token.iat', 'The token is not valid yet');
  }
  if (typeof jti !== 'string' || revoked.get(jti) !== undefined) {
    return new TokenFailure('token.not_revoked', 'The token is refused by the operator');
  }
  return undefined;
}
