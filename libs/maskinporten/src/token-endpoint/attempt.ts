import { isMaskinportenError, withDetails } from '../errors/index.js';
import type { AssertionFactory, NormalisedTokenRequest } from '../grants/index.js';
import type { Clock, HttpTransport, Issuer, ServerClock } from '../issuer/index.js';
import type { SigningGate, SigningKey } from '../keys/index.js';
import { parseRetryAfter } from './retry-after.js';
import { readTokenAnswer, type RawAnswer, type TokenAnswer } from './token-response.js';

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** A token response is a few kilobytes; more is a mistake or an attack. */
const MAX_RESPONSE_BYTES = 65_536;

/** One answered attempt: the token and what is needed to know how long it lives. */
export interface AttemptResult extends TokenAnswer {
  readonly jti: string;
  readonly kid?: string;
  /** Both clocks as they were just before the request was sent, so that latency shortens the life. */
  readonly sentWallMs: number;
  readonly sentMonotonicMs: number;
}

export interface AttemptDependencies {
  readonly issuer: Issuer;
  readonly assertions: AssertionFactory;
  readonly transport: HttpTransport;
  readonly serverClock: ServerClock;
  readonly clock: Clock;
  /** Bounds the requests in flight; the assertion is made only when a socket is free for it. */
  readonly sockets: SigningGate;
}

/**
 * One attempt = one new grant: new `jti`, new times, new signature, sent at once and never again (Maskinporten accepts a
 * grant a single time, MP-012).
 *
 * @param timeoutMs how long the HTTP exchange may take, in milliseconds; waiting for a free socket is not part of it
 * @param signal ends the attempt, also while it waits for a socket or a signature
 * @param onGrant told the `jti` of the grant before it is sent
 */
export async function attempt(
  dependencies: AttemptDependencies,
  request: NormalisedTokenRequest,
  key: SigningKey,
  timeoutMs: number,
  signal: AbortSignal,
  onGrant: (jti: string) => void,
): Promise<AttemptResult> {
  const { issuer, assertions, transport, serverClock, clock, sockets } = dependencies;
  return sockets.run(
    async () => {
      const url = await issuer.tokenEndpoint({ signal });
      const assertion = await assertions.create(request, key, signal);
      onGrant(assertion.jti);
      const sentWallMs = clock.wallMs();
      const sentMonotonicMs = clock.monotonicMs();
      const answer = await transport.send({
        url,
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: `grant_type=${encodeURIComponent(GRANT_TYPE)}&assertion=${assertion.value}`,
        signal,
        deadlineMs: timeoutMs,
        maxBytes: MAX_RESPONSE_BYTES,
      });
      serverClock.observe(answer.headers['date'], answer.sentAtMs, answer.receivedAtMs);
      const token = readAnswer(answer, request, assertion.value, serverClock.now());
      const { jti, kid } = assertion;
      return { ...token, jti, ...(kid === undefined ? {} : { kid }), sentWallMs, sentMonotonicMs };
    },
    { signal },
  );
}

function readAnswer(
  answer: RawAnswer,
  request: NormalisedTokenRequest,
  assertion: string,
  serverNowMs: number,
): TokenAnswer {
  try {
    return readTokenAnswer(answer, request, [assertion, ...assertion.split('.')]);
  } catch (error) {
    const retryAfterMs = parseRetryAfter(answer.headers['retry-after'], serverNowMs);
    throw isMaskinportenError(error) && error.category === 'transient' && retryAfterMs !== undefined
      ? withDetails(error, { retryAfterMs })
      : error;
  }
}
