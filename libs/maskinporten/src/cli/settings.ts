import {
  CLIENT_SECRETS,
  examineMaskinportenEnvironment,
  readKeyVariables,
  variableOf,
  withSecretFiles,
  type EnvironmentOptions,
  type VariableProblem,
} from '../environment/index.js';
import { isMaskinportenError, withDetails } from '../errors/index.js';
import type { KeySource } from '../keys/index.js';
import type { TokenServiceConfig } from '../tokens/index.js';
import { UsageError } from './exit.js';

export type Variables = Readonly<Record<string, string | undefined>>;

/** The client that the environment describes, with the names the template and NAIS use. */
export interface Settings extends Omit<EnvironmentOptions, 'destinations' | 'altinn' | 'http'> {
  readonly destinations: readonly string[];
  readonly altinn: NonNullable<EnvironmentOptions['altinn']>;
  /** Obeys the proxy variables when one of them is set. */
  readonly http?: EnvironmentOptions['http'] & { readonly proxy?: 'environment' };
}

type PathOf = (file: string) => string;

/**
 * Reads the client's settings.
 *
 * @throws UsageError that lists every setting that is missing or contradicts another, and repeats no value.
 */
export function readSettings(given: Variables, path?: PathOf): Settings {
  const { settings, problems } = examineSettings(given, path);
  const { clientId, key } = settings;
  if (clientId === undefined || key === undefined || problems.length > 0) throw usage(problems);
  return { ...settings, clientId, key };
}

/** The same without an error, for one who looks for faults. */
export function examineSettings(
  given: Variables,
  path?: PathOf,
): {
  readonly settings: Omit<Settings, 'clientId' | 'key'> & Partial<Pick<Settings, 'clientId' | 'key'>>;
  readonly problems: readonly VariableProblem[];
} {
  const { options, platformUrl, problems } = examineMaskinportenEnvironment(given, { path });
  const { destinations = [], altinn, http, key, ...where } = options;
  const proxy = PROXY_VARIABLES.some((name) => (given[name] ?? '').trim() !== '');
  return {
    settings: {
      ...where,
      ...(key === undefined ? {} : { key: unwatched(key) }),
      destinations,
      altinn: { ...altinn, ...(platformUrl === undefined ? {} : { platformUrl }) },
      ...(http === undefined && !proxy ? {} : { http: { ...http, ...(proxy ? { proxy: 'environment' } : {}) } }),
    },
    // A variable that no command reads may be the service's own.
    problems: problems.filter(({ kind }) => kind !== 'unknown'),
  };
}

/** A command ends before a file can change. */
const unwatched = (key: KeySource): KeySource => ('file' in key ? { ...key, watch: false } : key);

/** What `createTokenService` takes of the settings. */
export function tokenServiceConfig({
  clientId,
  key,
  environment,
  issuer,
  tokenEndpoint,
  http,
}: Settings): TokenServiceConfig {
  return { clientId, key, environment, issuer, tokenEndpoint, http };
}

export const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'] as const;

/**
 * Where the environment says the key is. `path` makes relative paths absolute.
 *
 * @throws UsageError when there is none, or more than one.
 */
export function readKeySource(given: Variables, path?: PathOf): KeySource {
  const { key, problems } = readKeyVariables(withSecrets(given, path), path);
  if (key === undefined || problems.length > 0) throw usage(problems);
  return unwatched(key);
}

/**
 * The variables with the secrets that are mounted as files.
 *
 * @throws UsageError when one of the files cannot be read.
 */
export function withSecrets(given: Variables, path?: PathOf, names: readonly string[] = CLIENT_SECRETS): Variables {
  const { variables, problems } = withSecretFiles(given, names, path);
  if (problems.length > 0) throw usage(problems);
  return variables;
}

export const usage = (problems: readonly VariableProblem[]): UsageError =>
  new UsageError({
    en: problems.map(({ variable, reason }) => `${variable} ${reason.en}`).join('\n'),
    nb: problems.map(({ variable, reason }) => `${variable} ${reason.nb}`).join('\n'),
  });

/** The same error with the variables of the environment in `failures` instead of options of the library. */
export function inVariables(error: unknown, variables: Variables): unknown {
  return renameFields(error, (field) => variableOf(field, variables) ?? field);
}

/** The same error with other names in `failures`. */
export function renameFields(error: unknown, rename: (field: string) => string): unknown {
  if (!isMaskinportenError(error)) return error;
  const failures = error.failures.map(({ field, code, reason }) => ({ field: rename(field), code, reason }));
  return withDetails(error, { failures });
}
