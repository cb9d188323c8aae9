/** What is measured, whatever it is exported with. Names and units follow OpenTelemetry's conventions. */
export interface Instrument {
  /** Dotted, as OpenTelemetry writes names. */
  readonly name: string;
  readonly kind: 'counter' | 'histogram' | 'observed-counter' | 'observed-gauge';
  /** UCUM; braces hold an annotation. */
  readonly unit: string;
  readonly description: string;
  /** Every attribute its measurements can have. */
  readonly attributes: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[] | undefined;
}

/** Name of the client in the application, `default` unless it was given one. */
export const CLIENT = 'maskinporten.client.name';
/** `plain` or `system-user`. */
export const KIND = 'maskinporten.request.kind';
/** `obtained` or `refused`; of an inbound call `accepted`, or the code of the refusal. */
export const OUTCOME = 'maskinporten.outcome';
/** `interactive` or `batch`. */
export const PRIORITY = 'maskinporten.request.priority';
/** `hit`, `miss`, `refused` or `unavailable`. */
export const LOOKUP = 'maskinporten.store.result';
/** Our error code; a general attribute of OpenTelemetry. */
export const ERROR_TYPE = 'error.type';
/** Maskinporten's own code, `MP-250`. */
export const MP_CODE = 'maskinporten.mp_code';
/** Whether somebody waited for it. */
export const BACKGROUND = 'maskinporten.background';
/** `certificate` or `registered-key`. */
export const CREDENTIAL = 'maskinporten.credential';
/** `allowed`, or the code of the guard's refusal. */
export const DECISION = 'maskinporten.delegation.decision';
export const SECURITY_EVENT = 'maskinporten.security.event';

/** Scopes that a handler requires; they are of this application's own code. */
export const REQUIRED_SCOPES = 'maskinporten.required_scopes';

/** Seconds; from a token endpoint next door to the deadline of an operation in the background. */
const DURATION_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

const describe = (
  name: string,
  kind: Instrument['kind'],
  unit: string,
  description: string,
  attributes: readonly string[],
  buckets?: readonly number[],
): Instrument =>
  Object.freeze({
    name: `maskinporten.client.${name}`,
    kind,
    unit,
    description,
    attributes: Object.freeze([...attributes]),
    buckets,
  });

/** Everything that is measured. No attribute ever holds an organisation or person number, what a caller sent, an id or a URL. */
export const INSTRUMENTS = {
  tokenRequests: describe(
    'token.requests',
    'counter',
    '{request}',
    'Tokens obtained or refused at the token endpoint.',
    [CLIENT, KIND, OUTCOME, BACKGROUND, ERROR_TYPE, MP_CODE],
  ),
  tokenDuration: describe(
    'token.duration',
    'histogram',
    's',
    'Time from the first attempt to the outcome.',
    [CLIENT, KIND, OUTCOME, BACKGROUND],
    DURATION_BUCKETS,
  ),
  tokenAttempts: describe('token.attempts', 'counter', '{attempt}', 'Grants sent, retries included.', [CLIENT, KIND]),
  cacheHits: describe('cache.hits', 'observed-counter', '{hit}', 'Usable tokens that were in the cache.', [CLIENT]),
  cacheWaits: describe('cache.waits', 'observed-counter', '{wait}', 'Callers that waited for a token request.', [
    CLIENT,
  ]),
  cacheRefreshes: describe('cache.refreshes', 'observed-counter', '{refresh}', 'Token requests in the background.', [
    CLIENT,
  ]),
  cacheEvictions: describe(
    'cache.evictions',
    'observed-counter',
    '{token}',
    'Usable tokens that were dropped because the cache was full.',
    [CLIENT],
  ),
  storeLookups: describe('store.lookups', 'observed-counter', '{lookup}', 'Looks into the shared token store.', [
    CLIENT,
    LOOKUP,
  ]),
  connectionsWaiting: describe(
    'connections.waiting',
    'observed-gauge',
    '{request}',
    'Token requests that wait for a connection.',
    [CLIENT, PRIORITY],
  ),
  cachedTokens: describe('cache.tokens', 'observed-gauge', '{token}', 'Tokens in the cache.', [CLIENT]),
  clockOffset: describe('clock.offset', 'observed-gauge', 's', "Maskinporten's clock minus this machine's.", [CLIENT]),
  credentialExpiry: describe('credential.expiry', 'observed-gauge', 'd', 'Days until a credential ends.', [
    CLIENT,
    CREDENTIAL,
  ]),
  circuitOpen: describe('circuit.open', 'observed-gauge', '{circuit}', '1 while calls are refused without asking.', [
    CLIENT,
    KIND,
  ]),
  listenerFailures: describe(
    'listener.failures',
    'observed-counter',
    '{failure}',
    'Listeners of token events (logs, metrics) that threw.',
    [CLIENT],
  ),
  securityEvents: describe('security.events', 'counter', '{event}', 'Something that looks like an attack.', [
    CLIENT,
    SECURITY_EVENT,
  ]),
  delegationDecisions: describe('delegation.decisions', 'counter', '{decision}', 'Answers of the system user guard.', [
    DECISION,
  ]),
  inboundCalls: {
    name: 'maskinporten.server.calls',
    kind: 'counter',
    unit: '{call}',
    description: 'Calls that others made with a token, by what came of them.',
    attributes: Object.freeze([OUTCOME, REQUIRED_SCOPES]),
  },
} as const satisfies Record<string, Instrument>;
