import { ConfigurationFailures, createError } from '../errors/index.js';
import { NormalisedTokenRequest } from '../grants/index.js';
import type { MaskinportenToken } from '../tokens/index.js';
import {
  DEFAULT_DEADLINE_MS,
  DEFAULT_MAX_RESPONSE_BYTES,
  type CallExtras,
  type CallOptions,
  type InstanceDefaults,
} from './call-options.js';
import { checkDestination, type CheckedDestination } from '../issuer/index.js';
import { DestinationList } from './destination-list.js';
import { watchersOf, type ClientSource, type OutboundTokens } from './maskinporten-clients.js';
import { currentScope } from './maskinporten-context.js';
import { destinationRefused, parseOutboundUrl } from './outbound-url.js';
import { isPathTemplate } from './path-template.js';
import { ownFields, toScope, type MaskinportenScope, type ScopesInput } from './scoped-request.js';
import { verifiedClient } from './verified-call.js';
import { WatchedCall } from './watched-call.js';

/** Who asks, for what, where to: everything that is decided before a call is sent. */
export interface OutboundDecision {
  readonly tokens: OutboundTokens;
  readonly request: NormalisedTokenRequest;
  readonly url: URL;
  /** Begins to tell about one attempt; absent when nobody watches. */
  readonly watch?: (method: string, token?: MaskinportenToken) => WatchedCall;
}

/** The rules for outgoing calls of one instance; the same for axios and fetch. */
export class OutboundPolicy {
  readonly deadlineMs: number;
  readonly maxResponseBytes: number;
  readonly replayUnsafe: boolean;
  readonly #source: ClientSource;
  readonly #fallback: MaskinportenScope | undefined;
  readonly #client: string | undefined;
  readonly #destinations: DestinationList | undefined;

  /**
   * @throws MaskinportenConfigurationError (`MP_CONFIG`) listing every wrong default.
   * @throws TokenRequestInvalidError (`MP_REQUEST`) when the default request is not valid.
   */
  constructor(source: ClientSource, defaults: ScopesInput | InstanceDefaults = {}) {
    const given = ownFields(typeof defaults === 'string' || isList(defaults) ? { scopes: defaults } : defaults);
    const { destinations, deadlineMs, maxResponseBytes, replayUnsafe, ...request } = given as InstanceDefaults;
    const failures = new ConfigurationFailures();
    this.deadlineMs = wholeNumber(deadlineMs, DEFAULT_DEADLINE_MS, 'deadlineMs', failures);
    this.maxResponseBytes = wholeNumber(maxResponseBytes, DEFAULT_MAX_RESPONSE_BYTES, 'maxResponseBytes', failures);
    this.replayUnsafe = replayUnsafe === true;
    this.#destinations = destinations === undefined ? undefined : checkList(destinations, failures);
    failures.throwIfAny();
    this.#source = source;
    this.#client = request.client;
    this.#fallback = scopeOf(request as ScopesInput & object);
  }

  /**
   * Decides on one call. `address` is where the call will really go: the final URL, after every interceptor.
   *
   * @throws OutboundCallRefusedError (`MP_NO_CONTEXT`, `MP_DESTINATION`); nothing has been sent then.
   * @throws TokenRequestInvalidError (`MP_REQUEST`) for an invalid `pathTemplate`, or when the delegation was verified
   *   for another client.
   */
  decide(call: CallOptions | undefined, address: string): OutboundDecision {
    const own = call === undefined ? undefined : ownScope(call);
    const scope = own ?? currentScope() ?? this.#fallback;
    if (scope === undefined) {
      throw createError('MP_NO_CONTEXT', {
        message: 'The call was not sent: nothing says which scopes its token needs.',
      });
    }
    const client = own === undefined && call !== undefined ? extrasOf(call).client : undefined;
    const wanted = client ?? scope.client;
    const verified = verifiedClient(scope.request, [wanted, this.#client, this.#source.owner?.()]);
    const { tokens, destinations } = this.#source(verified ?? wanted ?? this.#client);
    const url = parseOutboundUrl(address);
    if (!(this.#destinations ?? destinations).allows(url)) {
      throw destinationRefused(`${url.origin} is not among the destinations that may receive this token`);
    }
    const pathTemplate = pathTemplateIn(call);
    const watchers = watchersOf(tokens);
    const { request } = scope;
    if (watchers === undefined) return { tokens, request, url };
    return {
      tokens,
      request,
      url,
      watch: (method, token) => new WatchedCall({ ...watchers, request, method, url, pathTemplate }, token),
    };
  }
}

const isList = (value: unknown): value is readonly string[] => Array.isArray(value);

/** The request that a call brings itself, or undefined when it brings extras only. */
function ownScope(call: CallOptions): MaskinportenScope | undefined {
  if (typeof call === 'string' || isList(call) || NormalisedTokenRequest.is(call)) return toScope(call);
  const { replayUnsafe: _, pathTemplate: __, ...request } = call as CallExtras;
  return scopeOf(request as ScopesInput & object);
}

/** A request without scopes is refused rather than ignored; with nothing but a client it is none. */
const scopeOf = (request: ScopesInput & object): MaskinportenScope | undefined =>
  Object.keys(request).some((name) => name !== 'client') ? toScope(request) : undefined;

const extrasOf = (call: CallOptions | undefined): CallExtras =>
  typeof call === 'object' && !isList(call) ? ownFields(call as CallExtras) : {};

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

function wholeNumber(value: unknown, fallback: number, field: string, failures: ConfigurationFailures): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 2 ** 31 - 1) return value;
  failures.add(field, 'must be a whole number that is not negative');
  return fallback;
}
