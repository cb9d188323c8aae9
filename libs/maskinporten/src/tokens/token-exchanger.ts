import type { NormalisedTokenRequest } from '../grants/index.js';
import type { MaskinportenToken } from './maskinporten-token.js';

/** The token that another issuer gave for ours. */
export interface ExchangedToken {
  /** Secret. */
  readonly value: string;
  /** Seconds it lives, counted from the moment the exchange was sent. */
  readonly expiresInSeconds: number;
}

/** Swaps a Maskinporten token for one of another issuer (`exchange: 'altinn'`). The service caches what it gives. */
export interface TokenExchanger {
  exchange(token: MaskinportenToken, request: NormalisedTokenRequest): Promise<ExchangedToken>;
}
