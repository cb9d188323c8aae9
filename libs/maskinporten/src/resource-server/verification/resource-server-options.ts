import { ownMembers } from '../../basics/index.js';
import { ConfigurationFailures, isMaskinportenError } from '../../errors/index.js';
import { parseScopes } from '../../grants/index.js';
import { checkUrl } from '../../http/index.js';
import { mixedEnvironments, resolveIssuer, type EnvironmentName, type ResolvedIssuer } from '../../issuer/index.js';

/** Whose tokens an API accepts, and what they must be for. */
export interface ResourceServerOptions {
  /** A preset of the issuer. One of `environment` and `issuer` is needed. */
  readonly environment?: EnvironmentName | undefined;
  /** What `iss` of a token must be, byte for byte with its trailing slash; overrides the preset. */
  readonly issuer?: string | undefined;
  /** Where the issuer publishes its keys. Default: what its metadata says (RFC 8414). */
  readonly jwksUri?: string | undefined;
  /** Prefixes that Digdir gave you (`acme`): a scope of a decorator that has none of them is a refused start. */
  readonly scopePrefixes?: readonly string[] | undefined;
  /** Your API's own `aud`. When it is set a token must have it; when it is not, a token with an `aud` is refused. */
  readonly audience?: string | readonly string[] | undefined;
  /** How far clocks may differ. Default 10 seconds; at most 60. */
  readonly clockToleranceSeconds?: number | undefined;
  /** Longest life of a token, from `iat` to `exp`. Default 7,200 seconds; at most 86,400. */
  readonly maxLifetimeSeconds?: number | undefined;
  /** Hosts that may be spoken to over `http:` besides loopback, in development. */
  readonly allowInsecureHosts?: readonly string[] | undefined;
  /** How the issuer is reached. `ca`: PEM certificates to trust; `proxy`: its URL, or `environment`. */
  readonly http?:
    { readonly ca?: string | readonly string[] | undefined; readonly proxy?: string | undefined } | undefined;
}

/** Options after every check that needs no network. */
export interface ResolvedResourceServer {
  readonly issuer: ResolvedIssuer;
  readonly jwksUri?: string;
  /** Undefined: every scope is accepted. */
  readonly scopePrefixes?: readonly string[];
  readonly audiences: ReadonlySet<string>;
  readonly clockToleranceMs: number;
  readonly maxLifetimeMs: number;
}

const DEFAULT_TOLERANCE_S = 10;
const MAX_TOLERANCE_S = 60;
const DEFAULT_LIFETIME_S = 7_200;
const MAX_LIFETIME_S = 86_400;

/** @throws MaskinportenConfigurationError (`MP_CONFIG`) that lists every wrong option */
export function resolveResourceServer(given: ResourceServerOptions): ResolvedResourceServer {
  const { jwksUri, scopePrefixes, audience, clockToleranceSeconds, maxLifetimeSeconds, ...rest } = ownMembers(given);
  const failures = new ConfigurationFailures();
  const issuer = issuerOf(rest, failures);
  if (jwksUri !== undefined) {
    const verdict = checkUrl(jwksUri, issuer?.insecureHosts);
    if ('reason' in verdict) failures.add('jwksUri', verdict.reason);
    else failures.addAll(mixedEnvironments(issuer?.environment, [{ field: 'jwksUri', url: jwksUri }]));
  }
  const audiences = textsOf(audience, 'audience', failures);
  const prefixes = textsOf(scopePrefixes, 'scopePrefixes', failures);
  for (const prefix of prefixes) {
    if ('reason' in parseScopes([prefix]) || prefix.includes(':')) {
      failures.add('scopePrefixes', 'must hold prefixes without colon, such as acme');
    }
  }
  const tolerance = within(clockToleranceSeconds ?? DEFAULT_TOLERANCE_S, 0, MAX_TOLERANCE_S);
  const lifetime = within(maxLifetimeSeconds ?? DEFAULT_LIFETIME_S, 1, MAX_LIFETIME_S);
  if (tolerance === undefined) failures.add('clockToleranceSeconds', `must be from 0 to ${MAX_TOLERANCE_S}`);
  if (lifetime === undefined) failures.add('maxLifetimeSeconds', `must be from 1 to ${MAX_LIFETIME_S}`);
  failures.throwIfAny();
  return Object.freeze({
    issuer: issuer as ResolvedIssuer,
    ...(jwksUri === undefined ? {} : { jwksUri }),
    ...(scopePrefixes === undefined ? {} : { scopePrefixes: prefixes }),
    audiences: new Set(audiences),
    clockToleranceMs: (tolerance ?? 0) * 1000,
    maxLifetimeMs: (lifetime ?? 0) * 1000,
  });
}

function issuerOf(
  { environment, issuer, allowInsecureHosts }: ResourceServerOptions,
  failures: ConfigurationFailures,
): ResolvedIssuer | undefined {
  try {
    return resolveIssuer({ environment, issuer, http: { allowInsecureHosts } });
  } catch (error) {
    if (!isMaskinportenError(error, 'MP_CONFIG')) throw error;
    for (const { field, reason } of error.failures) failures.add(field.replace(/^http\./, ''), reason);
    return undefined;
  }
}

/** One text or a list of at least one. */
function textsOf(value: unknown, field: string, failures: ConfigurationFailures): readonly string[] {
  if (value === undefined) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > 0 && list.every((each) => typeof each === 'string' && /^[\x21-\x7e]{1,2048}$/.test(each))) {
    return list as readonly string[];
  }
  failures.add(field, 'must be one or more texts of visible characters');
  return [];
}

const within = (value: unknown, min: number, max: number): number | undefined =>
  typeof value === 'number' && value >= min && value <= max ? value : undefined;
