import { readFile } from 'node:fs/promises';
import { isMaskinportenError, withDetails } from '../errors/index.js';
import { ISSUER_PRESETS, isEnvironmentName, type EnvironmentName } from '../issuer/index.js';
import type { KeySource } from '../keys/index.js';
import type { TokenServiceConfig } from '../tokens/index.js';
import {
  CLIENT_SECRETS,
  issuerOfWellKnown,
  KEY_VARIABLES,
  variableOf as variableOfOption,
  withSecretFiles,
} from '../environment/index.js';
import { UsageError } from './exit.js';
import type { Text } from './language.js';

export type Variables = Readonly<Record<string, string | undefined>>;

/** The client that the environment describes, with the names the template and NAIS use. */
export interface Settings {
  readonly clientId: string;
  readonly key: KeySource;
  readonly environment?: EnvironmentName;
  readonly issuer?: string;
  readonly tokenEndpoint?: string;
  readonly destinations: readonly string[];
  readonly altinn: {
    readonly platformUrl?: string;
    readonly systemId?: string;
    readonly subscriptionKey?: string;
  };
  /** Obeys the proxy variables when one of them is set. */
  readonly http?: { readonly proxy?: 'environment'; readonly allowInsecureHosts?: readonly string[] };
}

/**
 * Reads the client's settings.
 *
 * @throws UsageError that lists every setting that is missing or contradicts another, and repeats no value.
 */
export async function readSettings(given: Variables, cwd?: (path: string) => string): Promise<Settings> {
  const { variables, problems: unread } = withSecretFiles(given, CLIENT_SECRETS, cwd);
  const of = reader(variables);
  const problems: Text[] = unread.map(({ variable, reason }) => problem(variable, reason.en, reason.nb));
  const environment = of('MASKINPORTEN_ENVIRONMENT');
  if (environment !== undefined && !isEnvironmentName(environment)) {
    problems.push(problem('MASKINPORTEN_ENVIRONMENT', 'must be test or prod', 'må være test eller prod'));
  }
  const wellKnown = of('MASKINPORTEN_WELL_KNOWN_URL');
  const found = wellKnown === undefined ? undefined : issuerOfWellKnown(wellKnown);
  if (wellKnown !== undefined && found === undefined) {
    problems.push(
      problem(
        'MASKINPORTEN_WELL_KNOWN_URL',
        'must be the address of a metadata document',
        'må være adressen til et metadatadokument',
      ),
    );
  }
  const issuer = of('MASKINPORTEN_ISSUER') ?? found;
  if (environment === undefined && issuer === undefined && wellKnown === undefined) {
    problems.push(
      problem(
        'MASKINPORTEN_ENVIRONMENT',
        'is missing: set it to test or prod, or set MASKINPORTEN_ISSUER',
        'mangler: sett den til test eller prod, eller sett MASKINPORTEN_ISSUER',
      ),
    );
  }
  const clientId = of('MASKINPORTEN_CLIENT_ID');
  if (clientId === undefined) {
    problems.push(
      problem(
        'MASKINPORTEN_CLIENT_ID',
        'is missing: it is the client id that Digdir self-service shows',
        'mangler: det er klient-id-en som selvbetjeningen hos Digdir viser',
      ),
    );
  }
  const key = await keySourceOf(variables, cwd).catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
    problems.push(error.text);
    return undefined;
  });
  if (clientId === undefined || key === undefined || problems.length > 0) throw usage(problems);
  const preset = isEnvironmentName(environment) ? environment : presetOf(issuer);
  const tokenEndpoint = of('MASKINPORTEN_TOKEN_ENDPOINT');
  const platformUrl = of('ALTINN_PLATFORM_URL') ?? (preset && ISSUER_PRESETS[preset].altinn.platformUrl);
  const systemId = of('ALTINN_SYSTEM_ID');
  const subscriptionKey = of('ALTINN_SUBSCRIPTION_KEY');
  return {
    clientId,
    key,
    ...(preset === undefined ? {} : { environment: preset }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(tokenEndpoint === undefined ? {} : { tokenEndpoint }),
    destinations: listOf(of('MASKINPORTEN_DESTINATIONS')),
    altinn: {
      ...(platformUrl === undefined ? {} : { platformUrl }),
      ...(systemId === undefined ? {} : { systemId }),
      ...(subscriptionKey === undefined ? {} : { subscriptionKey }),
    },
    ...httpOf(of),
  };
}

function httpOf(of: (name: string) => string | undefined): Pick<Settings, 'http'> {
  const allowInsecureHosts = listOf(of('MASKINPORTEN_ALLOW_INSECURE_HOSTS'));
  const proxy = PROXY_VARIABLES.some((name) => of(name) !== undefined);
  if (!proxy && allowInsecureHosts.length === 0) return {};
  return {
    http: {
      ...(proxy ? { proxy: 'environment' as const } : {}),
      ...(allowInsecureHosts.length === 0 ? {} : { allowInsecureHosts }),
    },
  };
}

const listOf = (value: string | undefined): string[] =>
  (value ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');

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

const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'] as const;

/**
 * Where the environment says the key is. `path` makes relative paths absolute.
 *
 * @throws UsageError when there is none, or more than one.
 */
export async function readKeySource(given: Variables, path = (file: string): string => file): Promise<KeySource> {
  return keySourceOf(withSecrets(given, path), path);
}

/**
 * The variables with the secrets that are mounted as files.
 *
 * @throws UsageError when one of the files cannot be read.
 */
export function withSecrets(
  given: Variables,
  path?: (file: string) => string,
  names: readonly string[] = CLIENT_SECRETS,
): Variables {
  const { variables, problems } = withSecretFiles(given, names, path);
  if (problems.length === 0) return variables;
  throw usage(problems.map(({ variable, reason }) => problem(variable, reason.en, reason.nb)));
}

async function keySourceOf(variables: Variables, path = (file: string): string => file): Promise<KeySource> {
  const of = reader(variables);
  const given = KEY_VARIABLES.filter((name) => of(name) !== undefined);
  const [name, second] = given;
  if (name === undefined) {
    throw usage([
      problem(
        'MASKINPORTEN_PRIVATE_KEY_FILE',
        'is missing: set it to the path of the private key',
        'mangler: sett den til stien til den private nøkkelen',
      ),
    ]);
  }
  if (second !== undefined) {
    throw usage([
      problem(second, `is set besides ${name}: keep one of them`, `er satt i tillegg til ${name}: behold én av dem`),
    ]);
  }
  const value = of(name) ?? '';
  const kid = of('MASKINPORTEN_KID');
  const registeredAt = of('MASKINPORTEN_KEY_REGISTERED_AT');
  const passphrase = of(
    name === 'MASKINPORTEN_PKCS12_FILE' ? 'MASKINPORTEN_PKCS12_PASSPHRASE' : 'MASKINPORTEN_PRIVATE_KEY_PASSPHRASE',
  );
  const certificateFile = of('MASKINPORTEN_CERTIFICATE_FILE');
  const common = { ...(kid === undefined ? {} : { kid }), ...(registeredAt === undefined ? {} : { registeredAt }) };
  const sealed = { ...common, ...(passphrase === undefined ? {} : { passphrase }) };
  switch (name) {
    case 'MASKINPORTEN_CLIENT_JWK':
      return { jwk: value, ...common };
    case 'MASKINPORTEN_CLIENT_JWK_FILE':
      return { file: path(value), watch: false, ...common };
    case 'MASKINPORTEN_PKCS12_FILE':
      return { file: path(value), watch: false, ...sealed };
    case 'MASKINPORTEN_PRIVATE_KEY_FILE': {
      const certificate = certificateFile === undefined ? {} : { certificateFile: path(certificateFile) };
      return { file: path(value), watch: false, ...sealed, ...certificate };
    }
    case 'MASKINPORTEN_PRIVATE_KEY':
    default: {
      const chain = certificateFile === undefined ? {} : { certificateChain: await readChain(path(certificateFile)) };
      return { pem: value, ...sealed, ...chain };
    }
  }
}

async function readChain(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch {
    throw usage([
      problem(
        'MASKINPORTEN_CERTIFICATE_FILE',
        'names a file that cannot be read',
        'peker på en fil som ikke kan leses',
      ),
    ]);
  }
}

/** An empty variable is an unset one. White space around a value is an accident, except where it may be content. */
function reader(variables: Variables): (name: string) => string | undefined {
  return (name) => {
    const value = variables[name];
    if (value === undefined || value.trim() === '') return undefined;
    return /(?:PRIVATE_KEY|PASSPHRASE|CLIENT_JWK)$/.test(name) ? value : value.trim();
  };
}

function presetOf(issuer: string | undefined): EnvironmentName | undefined {
  return (['test', 'prod'] as const).find((name) => ISSUER_PRESETS[name].issuer === issuer);
}

const problem = (variable: string, en: string, nb: string): Text => ({
  en: `${variable} ${en}`,
  nb: `${variable} ${nb}`,
});

const usage = (problems: readonly Text[]): UsageError =>
  new UsageError({
    en: problems.map(({ en }) => en).join('\n'),
    nb: problems.map(({ nb }) => nb).join('\n'),
  });

/** The variable that an option of the library came from; the option itself where there is none. */
const variableOf = (field: string, variables: Variables): string => variableOfOption(field, variables) ?? field;

/** The same error with the variables of the environment in `failures` instead of options of the library. */
export function inVariables(error: unknown, variables: Variables): unknown {
  return renameFields(error, (field) => variableOf(field, variables));
}

/** The same error with other names in `failures`. */
export function renameFields(error: unknown, rename: (field: string) => string): unknown {
  if (!isMaskinportenError(error)) return error;
  const failures = error.failures.map(({ field, code, reason }) => ({ field: rename(field), code, reason }));
  return withDetails(error, { failures });
}
