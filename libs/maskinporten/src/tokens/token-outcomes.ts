import { createError, type MaskinportenError } from '../errors/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';
import type { TokenEvent } from './token-events.js';
import type { Fetched } from './token-source.js';

/** What is told when a flight has brought a token. */
export function obtained(request: NormalisedTokenRequest, fetched: Fetched, background: boolean): TokenEvent {
  const { scopes, kind } = request;
  const { entry, attempts, elapsedMs, expiresInSeconds } = fetched;
  const { jti, kid } = entry.token;
  return {
    type: 'token-obtained',
    scopes,
    kind,
    ...onBehalfOf(request),
    jti,
    ...(kid === undefined ? {} : { kid }),
    attempts,
    elapsedMs,
    ...(expiresInSeconds === undefined ? {} : { expiresInSeconds }),
    background,
  };
}

/** What is told when a flight has brought none. */
export function refusal(request: NormalisedTokenRequest, error: MaskinportenError, background: boolean): TokenEvent {
  const { scopes, kind } = request;
  return { type: 'token-refused', scopes, kind, ...onBehalfOf(request), error, background };
}

function onBehalfOf({ organisation }: NormalisedTokenRequest): { organisation?: string } {
  return organisation === undefined ? {} : { organisation };
}

export const closedError = (): MaskinportenError =>
  createError('MP_ABORTED', { message: 'The token service is closed; no new token is fetched.', retryable: false });

/** F-131: a slow answer, or an event loop that was blocked, may hand over a token that is over. It is never sent. */
export const endedError = (): MaskinportenError =>
  createError('MP_TIMEOUT', { message: 'The token had ended when it arrived: getting it took longer than it lives.' });

export const unexpectedError = (): MaskinportenError =>
  createError('MP_PROTOCOL', { message: 'The token could not be fetched, for a reason that has no code of its own.' });
