/** Why a token is refused before anybody asks what it is for. */
export type TokenRefusalCode =
  | 'token_missing'
  | 'token_malformed'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'token_issuer'
  | 'token_signature'
  | 'token_audience'
  | 'token_bound'
  | 'consumer_not_allowed'
  | 'keys_unavailable';

/** A token that is not accepted. The reason is ours: nothing of the token is in it, so it may be logged and answered. */
export class TokenRefusal extends Error {
  readonly code: TokenRefusalCode;
  /** Milliseconds until the same token may be judged; for `keys_unavailable`. */
  declare readonly retryAfterMs?: number;

  /** @param reason a sentence for the developer who reads the answer */
  constructor(code: TokenRefusalCode, reason: string, retryAfterMs?: number) {
    super(reason);
    this.name = 'TokenRefusal';
    this.code = code;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }
}

/** The refusal of what does not have the form of a Maskinporten token. */
export const malformed = (reason: string): TokenRefusal => new TokenRefusal('token_malformed', reason);
