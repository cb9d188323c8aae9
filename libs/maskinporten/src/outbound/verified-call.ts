import { AsyncLocalStorage } from 'node:async_hooks';
import { createError } from '../errors/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';

/** For whom, and for which client, the running handler was verified. */
export interface VerifiedCall {
  readonly organisation: string;
  /** The client that was verified is the client whose token is sent. */
  readonly client: string;
}

const storage = new AsyncLocalStorage<VerifiedCall>();

/** Runs a handler as verified; contexts that it opens itself do not end that. */
export const runVerifiedCall = <T>(call: VerifiedCall, fn: () => T): T => storage.run(call, fn);

/**
 * The client that has to ask for this token, because its delegation was verified; undefined where nothing was, or where
 * the token is for something else.
 *
 * @param named every client that the call, its context or its instance names
 * @throws TokenRequestInvalidError (`MP_REQUEST`) when one of them is another client; nothing has been sent then
 */
export function verifiedClient(
  { organisation }: NormalisedTokenRequest,
  named: readonly (string | undefined)[],
): string | undefined {
  const verified = storage.getStore();
  if (verified === undefined || organisation !== verified.organisation) return undefined;
  for (const client of named) {
    if (client !== undefined && client !== verified.client) throw otherClient(client, verified.client);
  }
  return verified.client;
}

/** @param other empty for tokens that belong to no module */
export function otherClient(other: string, verified: string): Error {
  const whose = other === '' ? 'tokens that belong to no MaskinportenModule' : `client ${quote(other)}`;
  return createError('MP_REQUEST', {
    message: `The call was not sent: the delegation was verified for client ${quote(verified)}, and this call asks with ${whose}. Name the same client in both places.`,
    field: 'client',
  });
}

const quote = (name: string): string => JSON.stringify(name.slice(0, 64));
