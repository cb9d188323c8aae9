import { isWholeNumber, ownMembers } from '../basics/index.js';
import { ConfigurationFailures, createError } from '../errors/index.js';
import { NormalisedTokenRequest } from '../grants/index.js';
import { applicationClosed } from '../signals/index.js';
import type { MaskinportenToken, Priority } from '../tokens/index.js';
import {
  DEFAULT_DEADLINE_MS,
  DEFAULT_MAX_RESPONSE_BYTES,
  type CallExtras,
  type CallOptions,
  type InstanceDefaults,
} from './call-options.js';
import { checkDestination, type CheckedDestination } from '../issuer/index.js';
import { DestinationList } from './destination-list.js';
import { callerMarker } from './caller-marker.js';
import { watchersOf, type ClientSource, type OutboundTokens } from './outbound-client.js';
import { currentTokenContext } from './maskinporten-context.js';
import { destinationRefused, parseOutboundUrl } from './outbound-url.js';
import { isPathTemplate } from './path-template.js';
import { toTokenContext, type TokenContext, type ScopesInput } from './token-context.js';
import { verifiedClient } from './verified-call.js';
import { WatchedCall } from './watched-call.js';

/** Who asks, for what: known before any interceptor runs. */
export interface OutboundCaller {
  readonly tokenContext: TokenContext;
  /** Name of the client that asks; undefined for the usual one. */
  readonly client: string | undefined;
  /** Tells callers apart without saying who they are; see `callerMarker`. */
  readonly marker: string;
}

/** Who asks, for what, where to: everything that is decided before a call is sent. */
export interface OutboundDecision {
  readonly tokens: OutboundTokens;
  readonly request: NormalisedTokenRequest;
  readonly url: URL;
  readonly priority: Priority;
  /** Begins to tell about one attempt; absent when nobody watches. */
  readonly watch?: (method: string, token?: MaskinportenToken) => WatchedCall;
}

/** The rules for outgoing calls of one instance; the same for axios and fetch. */
export class OutboundPolicy {
  /** 0 means no limit. */
  readonly deadlineMs: number;
  /** 0 means no limit. */
  readonly maxResponseBytes: number;
  readonly replayUnsafe: boolean;
  #closed = false;
  readonly #source: ClientSource;
  readonly #fallback: TokenContext | undefined;
  readonly #client: string | undefined;
  readonly #destinations: DestinationList | undefined;

  /**
   * @throws MaskinportenConfigurationError (`MP_CONFIG`) listing every wrong default.
   * @throws TokenRequestInvalidError (`MP_REQUEST`) when the default request is not valid.
   */
  constructor(source: ClientSource, defaults: ScopesInput | InstanceDefaults = {}) {
    const given = ownMembers(typeof defaults === 'string' || isList(defaults) ? { scopes: defaults } : defaults);
    const { destinations, deadlineMs, maxResponseBytes, replayUnsafe, ...request } = given as InstanceDefaults;
    const failures = new ConfigurationFailures();
    this.deadlineMs = limit(deadlineMs, DEFAULT_DEADLINE_MS, 'deadlineMs', failures);
    this.maxResponseBytes = limit(maxResponseBytes, DEFAULT_MAX_RESPONSE_BYTES, 'maxResponseBytes', failures);
    this.replayUnsafe = replayUnsafe === true;
    this.#destinations = destinations === undefined ? undefined : checkList(destinations, failures);
    failures.throwIfAny();
    this.#source = source;
    this.#client = request.client;
    this.#fallback = tokenContextOf(request as ScopesInput & object);
  }

  /** From now on every call is refused: the application that the tokens belonged to is gone (F-144). */
  close(): void {
    this.#closed = true;
  }

  /**
   * Says who a call is for: its own request, else the context's, else the instance's.
   *
   * @throws OutboundCallRefusedError (`MP_NO_CONTEXT`) when nothing says it.
   * @throws OperationAbortedError (`MP_ABORTED`) when the application was closed.
   * @throws TokenRequestInvalidError (`MP_REQUEST`) when the request of the call is not valid, or when the delegation was
   *   verified for another client.
   */
  identify(call: CallOptions | undefined): OutboundCaller {
    const own = call === undefined ? undefined : ownContext(call);
    const tokenContext = own ?? currentTokenContext() ?? this.#fallback;
    if (tokenContext === undefined) {
      throw createError('MP_NO_CONTEXT', {
        message: 'The call was not sent: nothing says which scopes its token needs.',
      });
    }
    const extra = own === undefined && call !== undefined ? extrasOf(call).client : undefined;
    const wanted = extra ?? tokenContext.client;
    const verified = verifiedClient(tokenContext.request, [wanted, this.#client, this.#source.owner?.()]);
    const client = verified ?? wanted ?? this.#client;
    return { tokenContext, client, marker: callerMarker(this.#clientCalled(client).tokens, tokenContext.request) };
  }

  /**
   * Decides on one call. `address` is where the call will really go: the final URL, after every interceptor.
   *
   * @throws OutboundCallRefusedError (`MP_DESTINATION`); nothing has been sent then.
   * @throws OperationAbortedError (`MP_ABORTED`) when the application was closed.
   * @throws TokenRequestInvalidError (`MP_REQUEST`) if `pathTemplate` is invalid.
   */
  decide({ tokenContext, client }: OutboundCaller, call: CallOptions | undefined, address: string): OutboundDecision {
    const { tokens, destinations } = this.#clientCalled(client);
    const url = parseOutboundUrl(address);
    const list = this.#destinations ?? destinations;
    if (!list.allows(url)) throw destinationRefused(list.reasonAgainst(url));
    const pathTemplate = pathTemplateIn(call);
    const watchers = watchersOf(tokens);
    const { request } = tokenContext;
    // A call with a request of its own is as urgent as the work it is part of.
    const priority = tokenContext.priority ?? currentTokenContext()?.priority ?? 'interactive';
    if (watchers === undefined) return { tokens, request, url, priority };
    return {
      tokens,
      request,
      url,
      priority,
      watch: (method, token) => new WatchedCall({ ...watchers, request, method, url, pathTemplate }, token),
    };
  }

  /** May a token for this caller go to this address, too? */
  allows({ client }: OutboundCaller, address: string): boolean {
    return (
      URL.canParse(address) && (this.#destinations ?? this.#clientCalled(client).destinations).allows(new URL(address))
    );
  }

  #clientCalled(name: string | undefined): ReturnType<ClientSource> {
    if (this.#closed) throw applicationClosed();
    return this.#source(name);
  }
}

const isList = (value: unknown): value is readonly string[] => Array.isArray(value);

/** The request that a call brings itself, or undefined when it brings extras only. */
function ownContext(call: CallOptions): TokenContext | undefined {
  if (typeof call === 'string' || isList(call) || NormalisedTokenRequest.is(call)) return toTokenContext(call);
  const { replayUnsafe: _, pathTemplate: __, ...request } = ownMembers(call as CallExtras);
  return tokenContextOf(request as ScopesInput & object);
}

/** A request without scopes is refused rather than ignored. With nothing but a client it is not a request. */
const tokenContextOf = (request: ScopesInput & object): TokenContext | undefined =>
  Object.keys(request).some((name) => name !== 'client') ? toTokenContext(request) : undefined;

const extrasOf = (call: CallOptions | undefined): CallExtras =>
  typeof call === 'object' && !isList(call) ? ownMembers(call as CallExtras) : {};

/** May this call be repeated although its method can have done something already? */
export const asksForUnsafeReplay = (call: CallOptions | undefined): boolean => extrasOf(call).replayUnsafe === true;

/** The path that a call wants to be seen with. */
function pathTemplateIn(call: CallOptions | undefined): string | undefined {
  const { pathTemplate } = extrasOf(call);
  if (pathTemplate === undefined || isPathTemplate(pathTemplate)) return pathTemplate;
  throw createError('MP_REQUEST', {
    message:
      'The call was not sent: pathTemplate must be a path without query and without numbers, such as /claims/{orgno}.',
    field: 'pathTemplate',
  });
}

function checkList(destinations: readonly unknown[], failures: ConfigurationFailures): DestinationList {
  const checked: CheckedDestination[] = [];
  for (const [index, destination] of destinations.entries()) {
    const result = checkDestination(destination);
    if ('reason' in result) failures.add(`destinations[${index}]`, result.reason);
    else checked.push(result);
  }
  return new DestinationList(checked);
}

/** 0, -1 and Infinity mean no limit, here and in `maxContentLength` (F-146). */
export const isUnlimited = (value: unknown): boolean => value === 0 || value === -1 || value === Infinity;

function limit(value: unknown, fallback: number, field: string, failures: ConfigurationFailures): number {
  if (value === undefined) return fallback;
  if (isUnlimited(value)) return 0;
  if (isWholeNumber(value, 1, 2 ** 31 - 1)) return value;
  failures.add(field, 'must be a whole number up to 2147483647; 0, -1 and Infinity mean no limit');
  return fallback;
}
