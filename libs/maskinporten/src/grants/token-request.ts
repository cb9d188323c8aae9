/**
 * What a token is wanted for. Everything here ends up in the signed grant and in the cache key.
 *
 * @example
 * const request: TokenRequest = {
 *   scopes: ['altinn:instances.read', 'altinn:instances.write'],
 *   systemUser: { organisation: '310000027' },
 * };
 */
export interface TokenRequest {
  /** One or more scopes; a string may hold several, separated by spaces. At least one. Order and repetition do not matter. */
  readonly scopes: string | readonly string[];
  /** Audience restriction (RFC 8707): absolute URIs without fragment, agreed with the API owner. */
  readonly resource?: string | readonly string[] | undefined;
  /** Organisation you act for under API delegation: nine digits, with or without `0192:`. Never your own. */
  readonly consumerOrg?: string | undefined;
  /** System user of a customer: `organisation` owns the system user; `externalRef` only if it was created with one. */
  readonly systemUser?: { readonly organisation: string; readonly externalRef?: string | undefined } | undefined;
  /** A consent that was given: its UUID, and the person or organisation (URN) it was given by. */
  readonly consent?: { readonly id: string; readonly from: string } | undefined;
  /** Person number (11 digits) of the end user, for scopes that are restricted to one. */
  readonly pid?: string | undefined;
  /** Swap the Maskinporten token for an Altinn token, cached by its own expiry. */
  readonly exchange?: 'altinn' | undefined;
}

/** What callers may write instead of a whole `TokenRequest` when only scopes matter. */
export type TokenRequestInput = TokenRequest | string | readonly string[];
