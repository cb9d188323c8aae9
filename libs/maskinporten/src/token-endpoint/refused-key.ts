import type { MaskinportenError } from '../errors/index.js';
import type { SigningKey } from '../keys/index.js';

const keys = new WeakMap<MaskinportenError, SigningKey>();

/** Says which key was to sign when `error` came about; where one error is made from another, the second gets it too. */
export function withRefusedKey(error: MaskinportenError, key: SigningKey | undefined): MaskinportenError {
  if (key !== undefined) keys.set(error, key);
  return error;
}

/** The key that was to sign when a token was refused; undefined for a failure that no grant was part of. */
export const refusedKey = (error: MaskinportenError): SigningKey | undefined => keys.get(error);
