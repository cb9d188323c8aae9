import { ownMembers } from '../basics/index.js';
import { createError } from '../errors/index.js';
import { RequestContext } from '../signals/index.js';
import type { MaskinportenToken } from '../tokens/index.js';
import { anotherToken, obtainToken } from './bearer-token.js';
import type { CallOptions, InstanceDefaults } from './call-options.js';
import { CallSignal } from './call-signal.js';
import { limitResponse, type ResponseRules } from './limited-response.js';
import { clientsAround, type OutboundTokens } from './outbound-client.js';
import { asksForUnsafeReplay, OutboundPolicy, type OutboundDecision } from './outbound-policy.js';
import { isCredential } from './private-config.js';
import { isReplayable } from './replay.js';
import type { ScopesInput } from './token-context.js';
import { isTraced } from './trace-instrumentation.js';
import { cleanFetchFailure } from './transport-traces.js';

export interface MaskinportenFetchInit extends RequestInit {
  /** Token for this call; wins over `@Scopes` and `MaskinportenContext.run`. */
  readonly maskinporten?: CallOptions;
}

/** `fetch` with a token; takes and gives the same. */
export type MaskinportenFetch = (input: string | URL | Request, init?: MaskinportenFetchInit) => Promise<Response>;

export interface FetchDefaults extends InstanceDefaults {
  /** What sends the calls. Default: the `fetch` of the process. */
  readonly fetch?: typeof fetch;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * A fetch-like function whose calls carry Maskinporten tokens, under the rules of `attachMaskinporten`. A redirect is
 * an error (`MP_REDIRECT`), since following it would take the token elsewhere (F-136). Deadline and size limit cover what is
 * buffered (`json()`, `text()` …); who reads `response.body` has all the time and size in the world.
 *
 * @param defaults a request for calls without a context, and limits; see `InstanceDefaults`
 * @example
 * const call = maskinportenFetch(tokens, { scopes: 'example:read' });
 * const claims = await (await call('https://api.example.no/claims')).json();
 */
export function maskinportenFetch(
  tokens: OutboundTokens,
  defaults: ScopesInput | FetchDefaults = {},
): MaskinportenFetch {
  const { send, rest } = splitFetch(defaults);
  const policy = new OutboundPolicy(clientsAround(tokens), rest);
  return async (input, init = {}) => {
    const transport = send ?? fetch;
    // Own members only, down to the transport: a polluted prototype adds nothing to a call (T-77).
    const { maskinporten, ...given } = ownMembers(init);
    const own: RequestInit = ownMembers(given);
    const request = input instanceof Request ? input : undefined;
    const headers = new Headers(own.headers ?? request?.headers);
    if (isCredential(headers.get('authorization'))) return transport(input, own);
    const caller = policy.identify(maskinporten);
    const decision = policy.decide(caller, maskinporten, addressOf(input));
    const signal = new CallSignal(policy.deadlineMs, own.signal ?? request?.signal ?? null);
    try {
      const call = { input: request ?? decision.url, own, headers, signal, transport, decision, policy };
      return await send401Twice(call, policy.replayUnsafe || asksForUnsafeReplay(maskinporten));
    } catch (error) {
      signal.release();
      throw error;
    }
  };
}

/** One call, after everything about it was decided. */
interface FetchCall {
  readonly input: URL | Request;
  readonly own: RequestInit;
  readonly headers: Headers;
  readonly signal: CallSignal;
  readonly transport: typeof fetch;
  readonly decision: OutboundDecision;
  readonly policy: OutboundPolicy;
}

/** F-134: a call whose token was refused is repeated once, if it can be and there is another token. */
async function send401Twice(call: FetchCall, replayUnsafe: boolean): Promise<Response> {
  const { input, own, signal, decision } = call;
  const { tokens, request, priority, watch } = decision;
  const token =
    tokens.peek(request) ??
    (await obtainToken(tokens, request, { signal: signal.signal, priority }).catch((error: unknown) => {
      watch?.(methodOf(call)).failed(error);
      throw error;
    }));
  let response = await attempt(call, token);
  let sent = token;
  if (response.status === 401) {
    const next = await tokenForReplay(tokens, token, signal.signal, canRepeat(input, own, replayUnsafe));
    if (next !== undefined) {
      await response.body?.cancel();
      response = await attempt(call, next);
      sent = next;
    }
  }
  if (REDIRECTS.has(response.status) || response.type === 'opaqueredirect') {
    await response.body?.cancel();
    throw redirected(decision.url, response.status);
  }
  return limitResponse(response, rulesOf(call, sent));
}

async function attempt(call: FetchCall, token: MaskinportenToken): Promise<Response> {
  const { input, own, headers, signal, transport, decision } = call;
  const sent = new Headers(headers);
  sent.set('authorization', `Bearer ${token.value}`);
  const traceparent = isTraced(true) ? undefined : RequestContext.current()?.nextTraceparent();
  // Whoever traces the calls themselves knows better which span they belong to.
  if (traceparent !== undefined && !sent.has('traceparent')) sent.set('traceparent', traceparent);
  const watched = decision.watch?.(methodOf(call), token);
  await watched?.intend();
  try {
    const init: RequestInit = { headers: sent, redirect: 'manual', signal: signal.signal };
    const response: unknown = await transport(input, Object.assign(ownMembers(own), init));
    if (!isAnswer(response)) throw new TypeError('fetch answered with something that is not a response');
    watched?.answered(response.status);
    return response;
  } catch (error) {
    watched?.failed(error);
    throw cleaned(signal, error, token);
  }
}

/** Why the caller gave up is the caller's own object. */
const cleaned = ({ signal }: CallSignal, error: unknown, token: MaskinportenToken): unknown =>
  signal.aborted && error === signal.reason ? error : cleanFetchFailure(error, token.value);

const isAnswer = (value: unknown): value is Response =>
  typeof value === 'object' && value !== null && 'status' in value && 'headers' in value;

const methodOf = ({ own, input }: FetchCall): string => own.method ?? (input instanceof Request ? input.method : 'GET');

function rulesOf({ signal, policy }: FetchCall, token: MaskinportenToken): ResponseRules {
  const limit = policy.maxResponseBytes === 0 ? Infinity : policy.maxResponseBytes;
  return {
    limit,
    tooLarge: () => new TypeError(`the answer is larger than ${limit} bytes, the limit set by maxResponseBytes`),
    clean: (error) => cleaned(signal, error, token),
    streamed: () => signal.stopClock(),
    over: () => signal.release(),
  };
}

function redirected(url: URL, status: number): Error {
  return createError('MP_REDIRECT', {
    message: `${url.origin} answered with a redirect, which is not followed with a token.`,
    field: 'destination',
    status,
    hint: {
      en: 'Call the address that the API really has; a redirect is never followed, since it would take the token elsewhere.',
      nb: 'Kall adressen API-et faktisk har; en omdirigering følges aldri, fordi den ville tatt med tokenet et annet sted.',
    },
  });
}

function splitFetch(defaults: ScopesInput | FetchDefaults): {
  send?: typeof fetch;
  rest: ScopesInput | InstanceDefaults;
} {
  if (typeof defaults !== 'object' || !Object.hasOwn(defaults, 'fetch')) return { rest: defaults };
  const { fetch: send, ...rest } = defaults as FetchDefaults;
  return send === undefined ? { rest } : { send, rest };
}

const addressOf = (input: string | URL | Request): string => (input instanceof Request ? input.url : String(input));

/** The body of a Request object is a stream: it can be sent once. */
function canRepeat(input: string | URL | Request, init: RequestInit, replayUnsafe: boolean): boolean {
  const method = init.method ?? (input instanceof Request ? input.method : 'GET');
  const body = init.body ?? (input instanceof Request ? input.body : undefined);
  return isReplayable(method, body, replayUnsafe);
}

async function tokenForReplay(
  tokens: OutboundTokens,
  refused: MaskinportenToken,
  signal: AbortSignal | undefined,
  repeatable: boolean,
): Promise<MaskinportenToken | undefined> {
  if (repeatable) return anotherToken(tokens, refused, signal);
  // The call cannot be repeated, but the next one should not meet the same refusal.
  void anotherToken(tokens, refused);
  return undefined;
}
