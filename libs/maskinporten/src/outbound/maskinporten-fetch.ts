import { createError } from '../errors/index.js';
import type { MaskinportenToken } from '../tokens/index.js';
import { anotherToken, obtainToken } from './bearer-token.js';
import type { CallOptions, InstanceDefaults } from './call-options.js';
import { limitResponse } from './limited-response.js';
import { clientsAround, type OutboundTokens } from './maskinporten-clients.js';
import { asksForUnsafeReplay, OutboundPolicy } from './outbound-policy.js';
import { isReplayable } from './replay.js';
import { RequestContext } from './request-context.js';
import type { ScopesInput } from './scoped-request.js';

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
 * an error (`MP_REDIRECT`), since following it would take the token elsewhere (F-136). The deadline covers the body.
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
    const { maskinporten, ...own } = init;
    const headers = new Headers(own.headers ?? (input instanceof Request ? input.headers : undefined));
    if ((headers.get('authorization') ?? '') !== '') return transport(input, own);
    const { tokens: source, request, url, watch } = policy.decide(maskinporten, addressOf(input));
    const method = own.method ?? (input instanceof Request ? input.method : 'GET');
    const signal = joinedSignal(own.signal ?? (input instanceof Request ? input.signal : null), policy.deadlineMs);
    const target = input instanceof Request ? input : url;
    const attempt = async (token: MaskinportenToken): Promise<Response> => {
      const sent = new Headers(headers);
      sent.set('authorization', `Bearer ${token.value}`);
      const traceparent = RequestContext.current()?.nextTraceparent();
      // Whoever traces the calls themselves knows better which span they belong to.
      if (traceparent !== undefined && !sent.has('traceparent')) sent.set('traceparent', traceparent);
      const watched = watch?.(method, token);
      await watched?.intend();
      try {
        const response = await transport(target, {
          ...own,
          headers: sent,
          redirect: 'manual',
          ...(signal === undefined ? {} : { signal }),
        });
        watched?.answered(response.status);
        return response;
      } catch (error) {
        watched?.failed(error);
        throw error;
      }
    };
    const token =
      source.peek(request) ??
      (await obtainToken(source, request, signal).catch((error: unknown) => {
        watch?.(method).failed(error);
        throw error;
      }));
    let response = await attempt(token);
    if (response.status === 401) {
      const replayUnsafe = policy.replayUnsafe || asksForUnsafeReplay(maskinporten);
      const next = await tokenForReplay(source, token, signal, canRepeat(input, own, replayUnsafe));
      if (next !== undefined) {
        await response.body?.cancel();
        response = await attempt(next);
      }
    }
    if (REDIRECTS.has(response.status) || response.type === 'opaqueredirect') {
      await response.body?.cancel();
      throw createError('MP_REDIRECT', {
        message: `${url.origin} answered with a redirect, which is not followed with a token.`,
        field: 'destination',
        status: response.status,
        hint: {
          en: 'Call the address that the API really has; a redirect is never followed, since it would take the token elsewhere.',
          nb: 'Kall adressen API-et faktisk har; en omdirigering følges aldri, fordi den ville tatt med tokenet et annet sted.',
        },
      });
    }
    return limitResponse(response, policy.maxResponseBytes);
  };
}

function splitFetch(defaults: ScopesInput | FetchDefaults): {
  send?: typeof fetch;
  rest: ScopesInput | InstanceDefaults;
} {
  if (typeof defaults !== 'object' || !('fetch' in defaults)) return { rest: defaults };
  const { fetch: send, ...rest } = defaults;
  return send === undefined ? { rest } : { send, rest };
}

const addressOf = (input: string | URL | Request): string => (input instanceof Request ? input.url : String(input));

function joinedSignal(own: AbortSignal | null, deadlineMs: number): AbortSignal | undefined {
  const signals = [...(own === null ? [] : [own]), ...(deadlineMs > 0 ? [AbortSignal.timeout(deadlineMs)] : [])];
  return signals.length > 1 ? AbortSignal.any(signals) : signals[0];
}

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
