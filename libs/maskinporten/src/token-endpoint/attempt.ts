import { isMaskinportenError, withDetails } from '../errors/index.js';
import type { AssertionFactory, NormalisedTokenRequest } from '../grants/index.js';
import type { Clock } from '../basics/index.js';
import type { HttpTransport } from '../http/index.js';
import type { Issuer, ServerClock } from '../issuer/index.js';
import type { SigningKey } from '../keys/index.js';
import { parseRetryAfter } from './retry-after.js';
import { readTokenAnswer, type RawAnswer, type TokenAnswer } from './token-response.js';
import type { WorkTime } from './work-time.js';

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
}

export interface AttemptOptions {
  /** Milliseconds the HTTP exchange may take, asked for when it begins. */
  readonly timeoutMs: () => number;
  /** Ends the attempt, also while it waits for a signature. */
  readonly signal: AbortSignal;
  /** Stands still while the attempt waits for its turn to sign. */
  readonly time: WorkTime;
  /** Gets the `jti` of the grant before it is sent. */
  readonly onGrant: (jti: string) => void;
}

/**
 * One attempt = one new grant: new `jti`, new times, new signature, sent at once and never again (Maskinporten accepts a
 * grant a single time, MP-012). It needs a connection of its own.
 */
export async function attempt(
  dependencies: AttemptDependencies,
  request: NormalisedTokenRequest,
  key: SigningKey,
  options: AttemptOptions,
): Promise<AttemptResult> {
  const { issuer, assertions, transport, serverClock, clock } = dependencies;
  const { signal, time } = options;
  const url = await issuer.tokenEndpoint({ signal });
  time.pause();
  const assertion = await assertions.create(request, key, signal, () => time.run());
  options.onGrant(assertion.jti);
  const sentWallMs = clock.wallMs();
  const sentMonotonicMs = clock.monotonicMs();
  const answer = await transport.send({
    url,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: `grant_type=${encodeURIComponent(GRANT_TYPE)}&assertion=${assertion.value}`,
    signal,
    deadlineMs: options.timeoutMs(),
    maxBytes: MAX_RESPONSE_BYTES,
  });
  serverClock.observe(answer.headers['date'], answer.sentAtMs, answer.receivedAtMs);
  const token = readAnswer(answer, request, assertion.value, serverClock.now());
  const { jti, kid } = assertion;
  return { ...token, jti, ...(kid === undefined ? {} : { kid }), sentWallMs, sentMonotonicMs };
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
