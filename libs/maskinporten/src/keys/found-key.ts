import type { KeyObject } from 'node:crypto';

/** A key as it was found, public half only. */
export interface FoundKey {
  readonly publicKey: KeyObject;
  /** The file holds the private half too. */
  readonly isPrivate: boolean;
  /** Members of a JWK, as they stand there. */
  readonly jwk?: { readonly kid?: string; readonly alg?: string; readonly use?: string };
  /** Why it cannot be loaded as a signing key although it can be read. */
  readonly problem?: string;
}
