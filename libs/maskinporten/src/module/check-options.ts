import { isRecord, nearestName, ownMembers } from '../basics/index.js';
import { ConfigurationFailures, type Failure } from '../errors/index.js';
import { checkUrl, insecureHosts, type InsecureHosts } from '../http/index.js';
import { isEnvironmentName, mixedEnvironments } from '../issuer/index.js';
import { checkDestination } from '../outbound/index.js';
import { checkSettings } from '../tokens/index.js';
import type {
  AltinnOptions,
  MaskinportenOptions,
  RetryOptions,
  TokenCacheOptions,
  TokenHttpOptions,
} from './maskinporten.options.js';

/** The names of all options. Typed, so that an option without a name here does not compile. */
type Names<Options> = Readonly<Record<keyof Options, true>>;
const OPTIONS: Names<MaskinportenOptions> = {
  environment: true,
  issuer: true,
  tokenEndpoint: true,
  clientId: true,
  key: true,
  organisation: true,
  destinations: true,
  altinn: true,
  tokens: true,
  retry: true,
  http: true,
};
const ALTINN: Names<AltinnOptions> = {
  platformUrl: true,
  systemId: true,
  subscriptionKey: true,
  rights: true,
  allowAnyCaller: true,
};
const TOKENS: Names<TokenCacheOptions> = { refreshAt: true, maxEntries: true, store: true };
const RETRY: Names<RetryOptions> = { attempts: true, attemptTimeoutMs: true, deadlineMs: true };
const HTTP: Names<TokenHttpOptions> = { ca: true, proxy: true, allowInsecureHosts: true, maxConnections: true };
const GROUPS = { altinn: ALTINN, tokens: TOKENS, retry: RETRY, http: HTTP };

/**
 * Checks the options as a user writes them and lists everything that is wrong, unknown names included. The core checks
 * its own settings; here are the names, the destinations and Altinn. Only own members count, and nothing that was given
 * is repeated. Keys are checked when they are loaded.
 */
export function checkOptions(given: unknown): Failure[] {
  const failures = new ConfigurationFailures();
  if (!isRecord(given)) {
    failures.add('options', 'must be an object');
    return [...failures.list];
  }
  const options = ownMembers(given);
  checkNames('', options, OPTIONS, failures);
  const groups: Record<string, Readonly<Record<string, unknown>>> = {};
  for (const [name, known] of Object.entries(GROUPS)) {
    const group = options[name] ?? {};
    groups[name] = isRecord(group) ? ownMembers(group) : {};
    if (isRecord(group)) checkNames(`${name}.`, groups[name], known, failures);
    else failures.add(name, 'must be an object');
  }
  const insecure = insecureHosts(groups['http']?.['allowInsecureHosts']);
  failures.addAll(checkSettings({ ...options, ...groups }).failures.list);
  checkAltinn(groups['altinn'] ?? {}, insecure, failures);
  checkDestinations(options['destinations'], insecure, failures);
  const wrong = new Set(failures.list.map(({ field }) => field));
  // What is wrong in itself has been named already.
  failures.addAll(mixedHosts(options, groups['altinn']?.['platformUrl']).filter(({ field }) => !wrong.has(field)));
  return [...failures.list];
}

function checkNames(path: string, options: object, names: object, failures: ConfigurationFailures): void {
  const known = Object.keys(names);
  for (const name of Object.keys(options).filter((each) => !known.includes(each))) {
    const guess = nearestName(name, known);
    const help = guess === undefined ? `known are ${known.join(', ')}` : `did you mean ${guess}?`;
    const field = `${path}${name}`;
    // The name is the user's text, and ends up in logs.
    failures.add(/^[\w.[\]-]{1,80}$/.test(field) ? field : '(unprintable name)', `is not an option; ${help}`);
  }
}

function checkDestinations(given: unknown, insecure: InsecureHosts, failures: ConfigurationFailures): void {
  if (given === undefined || given === null) return;
  if (!Array.isArray(given)) failures.add('destinations', 'must be a list of origins');
  for (const [index, entry] of listOf(given).entries()) {
    const verdict = checkDestination(entry, insecure);
    if ('reason' in verdict) failures.add(`destinations[${index}]`, verdict.reason);
  }
}

function checkAltinn(
  { platformUrl, systemId, subscriptionKey, rights, allowAnyCaller }: Readonly<Record<string, unknown>>,
  insecure: InsecureHosts,
  failures: ConfigurationFailures,
): void {
  const verdict = platformUrl === undefined ? undefined : checkUrl(platformUrl, insecure);
  if (verdict !== undefined && 'reason' in verdict) failures.add('altinn.platformUrl', verdict.reason);
  for (const [name, text] of Object.entries({ systemId, subscriptionKey })) {
    if (text === undefined || (typeof text === 'string' && text.trim() !== '')) continue;
    failures.add(`altinn.${name}`, 'must be a text that is not empty');
  }
  if (rights !== undefined && !['pdp', 'authorized-parties', 'accepted-request'].includes(rights as string)) {
    failures.add('altinn.rights', 'must be pdp, authorized-parties or accepted-request');
  }
  if (allowAnyCaller !== undefined && typeof allowAnyCaller !== 'boolean') {
    failures.add('altinn.allowAnyCaller', 'must be true or false');
  }
}

/** F-88: tokens of one environment are worth nothing in the other, and must not leak into it. */
function mixedHosts(
  { environment, issuer, destinations }: Readonly<Record<string, unknown>>,
  platformUrl: unknown,
): Failure[] {
  const entries = [
    { field: 'issuer', url: issuer },
    ...listOf(destinations).map((entry, index) => ({ field: `destinations[${index}]`, url: originOf(entry) })),
    { field: 'altinn.platformUrl', url: platformUrl },
  ].filter((entry): entry is { field: string; url: string } => typeof entry.url === 'string');
  return mixedEnvironments(isEnvironmentName(environment) ? environment : undefined, entries);
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const originOf = (entry: unknown): unknown =>
  typeof entry === 'object' && entry !== null && Object.hasOwn(entry, 'origin') ? Reflect.get(entry, 'origin') : entry;
