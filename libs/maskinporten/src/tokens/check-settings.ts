import { isWholeNumber, notWholeNumber } from '../basics/index.js';
import { ConfigurationFailures, isMaskinportenError } from '../errors/index.js';
import { parseOrganisationNumber } from '../grants/index.js';
import { checkProxy } from '../http/index.js';
import { resolveIssuer, type IssuerOptions, type ResolvedIssuer } from '../issuer/index.js';

/** Settings of a token service; unknown, because JavaScript callers and environment variables give anything. */
export interface GivenSettings {
  readonly environment?: unknown;
  readonly issuer?: unknown;
  readonly tokenEndpoint?: unknown;
  readonly clientId?: unknown;
  readonly organisation?: unknown;
  readonly tokens?:
    { readonly refreshAt?: unknown; readonly maxEntries?: unknown; readonly store?: unknown } | undefined;
  readonly retry?:
    { readonly attempts?: unknown; readonly attemptTimeoutMs?: unknown; readonly deadlineMs?: unknown } | undefined;
  readonly http?:
    | {
        readonly ca?: unknown;
        readonly proxy?: unknown;
        readonly allowInsecureHosts?: unknown;
        readonly maxConnections?: unknown;
      }
    | undefined;
}

/** Every check of settings that needs neither a file nor the network. Keys are checked when they are loaded. */
export function checkSettings(given: GivenSettings): {
  readonly failures: ConfigurationFailures;
  readonly resolved: ResolvedIssuer | undefined;
} {
  const failures = new ConfigurationFailures();
  const { clientId, organisation } = given;
  if (typeof clientId !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(clientId)) {
    failures.add('clientId', 'must be the client id that Digdir self-service shows');
  }
  if (organisation !== undefined && parseOrganisationNumber(organisation) !== organisation) {
    failures.add('organisation', 'must be an organisation number: nine digits that pass modulus 11');
  }
  const resolved = issuerOf(given as IssuerOptions, failures);
  checkTuning(given, failures);
  checkConnection(given, failures);
  return { failures, resolved };
}

function issuerOf(given: IssuerOptions, failures: ConfigurationFailures): ResolvedIssuer | undefined {
  try {
    return resolveIssuer(given);
  } catch (error) {
    if (!isMaskinportenError(error)) throw error;
    failures.addAll(error.failures);
    return undefined;
  }
}

/** Refuses values that would otherwise show only under load: no attempts, deadlines that timers cannot hold (T-65). */
function checkTuning({ tokens, retry, http }: GivenSettings, failures: ConfigurationFailures): void {
  const whole = (field: string, value: unknown, most: number): void => {
    if (value === undefined || isWholeNumber(value, 1, most)) return;
    failures.add(field, notWholeNumber(1, most));
  };
  whole('tokens.maxEntries', tokens?.maxEntries, 1_000_000);
  whole('http.maxConnections', http?.maxConnections, 1_000);
  whole('retry.attempts', retry?.attempts, 10);
  whole('retry.attemptTimeoutMs', retry?.attemptTimeoutMs, 60_000);
  whole('retry.deadlineMs', retry?.deadlineMs, 300_000);
  if (tokens?.refreshAt !== undefined && !isWindow(tokens.refreshAt)) {
    failures.add('tokens.refreshAt', 'must be two shares of a life between 0 and 1, such as [0.5, 0.75]');
  }
  if (tokens?.store !== undefined && !isStore(tokens.store)) {
    failures.add(
      'tokens.store',
      'must be a token store, such as what RedisTokenStore.connect gives when it is awaited',
    );
  }
}

function checkConnection({ http }: GivenSettings, failures: ConfigurationFailures): void {
  const list: readonly unknown[] = Array.isArray(http?.ca) ? http.ca : [http?.ca];
  const certificates = list.length > 0 && list.every((entry) => typeof entry === 'string' || Buffer.isBuffer(entry));
  if (http?.ca !== undefined && !certificates) failures.add('http.ca', 'must be PEM certificates as text or Buffer');
  if (http?.proxy === undefined || http.proxy === 'environment') return;
  const verdict = checkProxy(http.proxy);
  if ('reason' in verdict) failures.add('http.proxy', verdict.reason);
}

/** Its methods may be its class's. Anything else would only look like a Redis that is away. */
const isStore = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  ['get', 'set', 'delete', 'lock', 'unlock'].every((name) => typeof Reflect.get(value, name) === 'function');

function isWindow(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [from, to] = value as unknown[];
  return typeof from === 'number' && typeof to === 'number' && from > 0 && from <= to && to < 1;
}
