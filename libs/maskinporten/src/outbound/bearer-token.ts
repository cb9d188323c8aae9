import { createError } from '../errors/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';
import type { GetTokenOptions, MaskinportenToken } from '../tokens/index.js';
import type { OutboundTokens } from './outbound-client.js';

/** A token with less than this left would die on its way (F-131). */
const LEAST_LIFE_MS = 2_000;

/**
 * The token to write into a header right now, after the wait for it. The event loop may have been blocked between its
 * arrival and this moment, so it is looked at once more (F-131): the service is asked again once, and a token that is
 * still too old is not sent.
 *
 * @throws TokenEndpointUnavailableError (`MP_TIMEOUT`) when no token lives long enough.
 */
export async function obtainToken(
  tokens: OutboundTokens,
  request: NormalisedTokenRequest,
  options: GetTokenOptions,
): Promise<MaskinportenToken> {
  for (let round = 0; round < 2; round += 1) {
    const obtained = await tokens.getToken(request, options);
    const usable = tokens.peek(request) ?? (lifeLeftMs(obtained) >= LEAST_LIFE_MS ? obtained : undefined);
    if (usable !== undefined) return usable;
  }
  throw createError('MP_TIMEOUT', {
    message: 'The call was not sent: the token had less than two seconds to live when it was to be used.',
    scopes: request.scopes,
  });
}

const lifeLeftMs = (token: MaskinportenToken): number => token.expiresAt.getTime() - Date.now();

/**
 * A token in place of one that an API refused (F-134); undefined when there is none, and then the API's 401 is the
 * truth about the call. The service bounds how often this costs a request (T-71).
 */
export async function anotherToken(
  tokens: OutboundTokens,
  refused: MaskinportenToken,
  signal?: AbortSignal,
): Promise<MaskinportenToken | undefined> {
  try {
    const token = await tokens.renew(refused, signal === undefined ? {} : { signal });
    return token?.value === refused.value ? undefined : token;
  } catch {
    return undefined;
  }
}
