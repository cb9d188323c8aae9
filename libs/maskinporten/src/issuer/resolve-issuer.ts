import { ownMembers } from '../basics/index.js';
import { ConfigurationFailures, type Failure } from '../errors/index.js';
import { checkIssuerUrl, checkUrl, insecureHosts, type InsecureHosts } from '../http/index.js';
import { checkInsecureHosts } from './check-insecure-hosts.js';
import { environmentOfHost, isEnvironmentName, ISSUER_PRESETS, type EnvironmentName } from './issuer-presets.js';
import { metadataUrl } from './issuer-metadata.js';

export interface IssuerOptions {
  readonly environment?: EnvironmentName | undefined;
  /** Used verbatim; overrides the preset of `environment`. */
  readonly issuer?: string | undefined;
  /** Default: from the issuer's metadata. */
  readonly tokenEndpoint?: string | undefined;
  /** Hosts that may be spoken to over `http:`, in development. */
  readonly http?: { readonly allowInsecureHosts?: readonly string[] | undefined } | undefined;
}

/** Which issuer is talked to, after every check that needs no network. */
export interface ResolvedIssuer {
  readonly issuer: string;
  readonly metadataUrl: string;
  /** Set when the issuer is one of the presets'. */
  readonly environment?: EnvironmentName;
  /** Configured by hand: metadata does not change it. */
  readonly explicitTokenEndpoint?: string;
  /** What is known without metadata. */
  readonly builtInTokenEndpoint?: string;
  /** Hosts that may be spoken to over `http:`; absent when no host may. */
  readonly insecureHosts?: InsecureHosts;
}

/**
 * Settles issuer and endpoints from the options.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) with fields `environment`, `issuer`, `tokenEndpoint`,
 *   `http.allowInsecureHosts`.
 */
export function resolveIssuer(given: IssuerOptions): ResolvedIssuer {
  const options = ownMembers(given);
  const failures = new ConfigurationFailures();
  const { environment } = options;
  if (environment !== undefined && !isEnvironmentName(environment)) failures.add('environment', 'must be test or prod');
  const issuer = options.issuer ?? (isEnvironmentName(environment) ? ISSUER_PRESETS[environment].issuer : undefined);
  if (issuer === undefined) {
    if (failures.isEmpty) failures.add('issuer', 'is missing: set environment to test or prod, or give an issuer');
    throw failures.toError();
  }
  const listed = options.http && ownMembers(options.http).allowInsecureHosts;
  const insecure = insecureHosts(listed);
  failures.addAll(checkInsecureHosts(listed, environmentOf(issuer) ?? environment));
  checkIssuer(issuer, failures, insecure);
  const { tokenEndpoint } = options;
  if (tokenEndpoint !== undefined) {
    const verdict = checkUrl(tokenEndpoint, insecure);
    if ('reason' in verdict) failures.add('tokenEndpoint', verdict.reason);
    else if (tokenEndpoint.includes('#')) failures.add('tokenEndpoint', 'must not have a fragment');
  }
  failures.throwIfAny();
  const known = presetOf(issuer);
  failures.addAll(
    mixedEnvironments(known ?? environment, [
      { field: 'issuer', url: issuer },
      ...(tokenEndpoint === undefined ? [] : [{ field: 'tokenEndpoint', url: tokenEndpoint }]),
      ...(known !== undefined && environment !== undefined && known !== environment
        ? [{ field: 'environment', url: ISSUER_PRESETS[environment].issuer }]
        : []),
    ]),
  );
  failures.throwIfAny();
  return Object.freeze({
    issuer,
    metadataUrl: metadataUrl(issuer),
    ...(known === undefined ? {} : { environment: known, builtInTokenEndpoint: ISSUER_PRESETS[known].tokenEndpoint }),
    ...(tokenEndpoint === undefined ? {} : { explicitTokenEndpoint: tokenEndpoint }),
    ...(insecure.size === 0 ? {} : { insecureHosts: insecure }),
  });
}

/**
 * Which of the URLs belong to the other environment than `environment` (F-88): tokens, keys and delegations of one are
 * worth nothing in the other, and a production token must not go to a test system. A wildcard label may lead a host.
 *
 * @returns failures to be listed with the other wrong settings; empty when nothing is mixed.
 */
export function mixedEnvironments(
  environment: EnvironmentName | undefined,
  entries: readonly { readonly field: string; readonly url: string }[],
): Failure[] {
  let expected = environment;
  const failures: Failure[] = [];
  for (const { field, url } of entries) {
    const found = environmentOf(url);
    if (found !== undefined) {
      expected ??= found;
      if (found !== expected) {
        failures.push({ field, code: 'MP_CONFIG', reason: `belongs to ${found}, but the issuer to ${expected}` });
      }
    }
  }
  return failures;
}

function environmentOf(url: string): EnvironmentName | undefined {
  try {
    return environmentOfHost(new URL(url.replace('://*.', '://any.')).hostname);
  } catch {
    return undefined;
  }
}

function presetOf(issuer: string): EnvironmentName | undefined {
  if (issuer === ISSUER_PRESETS.prod.issuer) return 'prod';
  return issuer === ISSUER_PRESETS.test.issuer ? 'test' : undefined;
}

function checkIssuer(issuer: unknown, failures: ConfigurationFailures, insecure: InsecureHosts): void {
  const verdict = checkIssuerUrl(issuer, insecure);
  if ('reason' in verdict) {
    failures.add('issuer', verdict.reason);
    return;
  }
  for (const { issuer: known } of Object.values(ISSUER_PRESETS)) {
    if (new URL(known).host === verdict.url.host && issuer !== known) {
      failures.add('issuer', `must be written ${known} for this host, byte for byte and with its trailing slash`);
    }
  }
}
