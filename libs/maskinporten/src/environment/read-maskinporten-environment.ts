import { withoutUndefined } from '../basics/index.js';
import { ISSUER_PRESETS, isEnvironmentName, type EnvironmentName } from '../issuer/index.js';
import type { KeySource } from '../keys/index.js';
import { unknownVariables } from './client-variables.js';
import { issuerOfWellKnown } from './issuer-of-well-known.js';
import { readKeyVariables } from './key-variables.js';
import { CLIENT_SECRETS, withSecretFiles } from './secret-files.js';
import { MaskinportenEnvironmentError, missing, wrong, type VariableProblem } from './variable-problem.js';
import { variableOf } from './variable-of.js';
import { listOf, settingOf, type Variables } from './variables.js';

/** A client as its variables describe it: `MaskinportenOptions`, by the same names. */
export interface EnvironmentOptions {
  readonly clientId: string;
  readonly key: KeySource;
  readonly environment?: EnvironmentName;
  readonly issuer?: string;
  readonly tokenEndpoint?: string;
  readonly destinations?: readonly string[];
  readonly altinn?: { readonly platformUrl?: string; readonly systemId?: string; readonly subscriptionKey?: string };
  readonly http?: { readonly allowInsecureHosts?: readonly string[]; readonly maxConnections?: number };
  readonly tokens?: { readonly maxEntries?: number };
}

/** What one who receives tokens needs: options of `MaskinportenResourceServerModule`, by the same names. */
export interface ProviderEnvironment {
  readonly environment?: EnvironmentName;
  readonly issuer?: string;
  readonly jwksUri?: string;
  readonly allowInsecureHosts?: readonly string[];
}

export interface MaskinportenEnvironment {
  readonly options: EnvironmentOptions;
  readonly provider: ProviderEnvironment;
  /** Base address of Altinn's platform: the variable's, else the environment's. */
  readonly platformUrl?: string;
  /** Origins that may receive tokens: the environment's (`https://*.…` for the apps of all owners), and those listed. */
  readonly allDestinations: readonly string[];
  /** The variable, of those that are set, that an option came from; see {@link variableOf}. */
  readonly variableOf: (optionPath: string) => string | undefined;
}

export interface EnvironmentReadingOptions {
  /** Makes a relative path absolute. Default: paths are taken as they are. */
  readonly path?: ((file: string) => string) | undefined;
  /** Names beginning with `MASKINPORTEN_` that the application reads itself. */
  readonly own?: readonly string[] | undefined;
}

/**
 * Reads the variables of a client: those of the table in the README, secrets from the files that `…_FILE` names, and what
 * NAIS injects. Whether the key and the addresses can be used is found out by the module.
 *
 * @throws MaskinportenEnvironmentError (`MP_CONFIG`) that lists every missing and wrong variable and repeats no value
 * @example MaskinportenModule.forRootAsync({ useFactory: () => readMaskinportenEnvironment(env).options })
 */
export function readMaskinportenEnvironment(
  variables: Variables,
  given: EnvironmentReadingOptions = {},
): MaskinportenEnvironment {
  const { options, problems, ...rest } = examineMaskinportenEnvironment(variables, given);
  const { clientId, key } = options;
  if (clientId === undefined || key === undefined || problems.length > 0) {
    throw new MaskinportenEnvironmentError(problems);
  }
  return { options: { ...options, clientId, key }, ...rest };
}

/**
 * The same for an application that receives tokens and need not be a client itself.
 *
 * @throws MaskinportenEnvironmentError (`MP_CONFIG`)
 * @example MaskinportenResourceServerModule.forRootAsync({ useFactory: () => readProviderEnvironment(env) })
 */
export function readProviderEnvironment(variables: Variables): ProviderEnvironment {
  const { provider, problems } = readWhere(variables);
  const all = [...misspelled(variables), ...problems];
  if (all.length > 0) throw new MaskinportenEnvironmentError(all);
  return provider;
}

export interface EnvironmentReading extends Omit<MaskinportenEnvironment, 'options'> {
  readonly options: Partial<EnvironmentOptions>;
  readonly problems: readonly VariableProblem[];
}

/** The same without an error: what could be read, and what is wrong, for those who report more than that. */
export function examineMaskinportenEnvironment(
  given: Variables,
  { path, own }: EnvironmentReadingOptions = {},
): EnvironmentReading {
  const { variables, problems: unread } = withSecretFiles(given, CLIENT_SECRETS, path);
  const of = (name: string): string | undefined => settingOf(variables, name);
  const { provider, problems: whereProblems } = readWhere(variables);
  const { key, problems: keyProblems } = readKeyVariables(variables, path);
  const { environment, issuer, allowInsecureHosts } = provider;
  const clientId = of('MASKINPORTEN_CLIENT_ID');
  const preset = environment && ISSUER_PRESETS[environment];
  const platformUrl = of('ALTINN_PLATFORM_URL');
  const destinations = listOf(of('MASKINPORTEN_DESTINATIONS'));
  const http = withoutUndefined({ allowInsecureHosts, maxConnections: numberOf(of('MASKINPORTEN_MAX_CONNECTIONS')) });
  const maxEntries = numberOf(of('MASKINPORTEN_MAX_ENTRIES'));
  const altinn = withoutUndefined({
    platformUrl,
    systemId: of('ALTINN_SYSTEM_ID'),
    subscriptionKey: of('ALTINN_SUBSCRIPTION_KEY'),
  });
  return {
    options: withoutUndefined({
      environment,
      issuer,
      clientId,
      key,
      tokenEndpoint: of('MASKINPORTEN_TOKEN_ENDPOINT'),
      destinations,
      http: Object.keys(http).length === 0 ? undefined : http,
      tokens: maxEntries === undefined ? undefined : { maxEntries },
      altinn: Object.keys(altinn).length === 0 ? undefined : altinn,
    }),
    provider,
    ...withoutUndefined({ platformUrl: platformUrl ?? preset?.altinn.platformUrl }),
    allDestinations: [...(preset?.destinations ?? []), ...(destinations ?? [])],
    variableOf: (optionPath) => variableOf(optionPath, given),
    problems: [
      ...unread,
      ...misspelled(given, own),
      ...whereProblems,
      ...(clientId === undefined ? [NO_CLIENT_ID] : []),
      ...keyProblems,
      ...checkKeyFacts(of, keyProblems),
    ],
  };
}

/** Other names that begin like ours may be the application's own. */
const misspelled = (variables: Variables, own?: readonly string[]): VariableProblem[] =>
  unknownVariables(variables, own)
    .filter(({ guess }) => guess !== undefined)
    .map(({ variable, kind, reason }) => ({ variable, kind, reason }));

function checkKeyFacts(
  of: (name: string) => string | undefined,
  keyProblems: readonly VariableProblem[],
): VariableProblem[] {
  const noKey = keyProblems.some(({ kind }) => kind === 'missing');
  const noName = of('MASKINPORTEN_KID') === undefined && of('MASKINPORTEN_CERTIFICATE_FILE') === undefined;
  const registeredAt = of('MASKINPORTEN_KEY_REGISTERED_AT');
  return [
    // Whether a key that is there needs one is found out when it is loaded.
    ...(noKey && noName ? [NO_KID] : []),
    ...(registeredAt === undefined || isIsoDate(registeredAt) ? [] : [NO_DATE]),
    ...(of('MASKINPORTEN_PKCS12_PASSPHRASE') !== undefined && of('MASKINPORTEN_PKCS12_FILE') === undefined
      ? [NO_PKCS12]
      : []),
  ];
}

const isIsoDate = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/.test(text) &&
  // `Date` takes the 31st of February for a day in March.
  new Date(`${text.slice(0, 10)}T00:00Z`).toJSON()?.slice(0, 10) === text.slice(0, 10);

/** Which Maskinporten: the same for those who ask for tokens and those who receive them. */
function readWhere(variables: Variables): {
  readonly provider: ProviderEnvironment;
  readonly problems: readonly VariableProblem[];
} {
  const of = (name: string): string | undefined => settingOf(variables, name);
  const [named, ownIssuer, wellKnown] = [
    of('MASKINPORTEN_ENVIRONMENT'),
    of('MASKINPORTEN_ISSUER'),
    of('MASKINPORTEN_WELL_KNOWN_URL'),
  ];
  const found = wellKnown === undefined ? undefined : issuerOfWellKnown(wellKnown);
  const issuer = ownIssuer ?? found;
  const allowInsecureHosts = listOf(of('MASKINPORTEN_ALLOW_INSECURE_HOSTS'));
  const problems: VariableProblem[] = [];
  if (named !== undefined && !isEnvironmentName(named)) problems.push(NO_ENVIRONMENT_NAME);
  if (wellKnown !== undefined && found === undefined) problems.push(NO_METADATA);
  else if (withoutSlash(ownIssuer ?? found) !== withoutSlash(found ?? ownIssuer)) problems.push(OTHER_ISSUER);
  if (named === undefined && ownIssuer === undefined && wellKnown === undefined) problems.push(NO_ENVIRONMENT);
  // The module looks at the rest; it does not know what a `.env` file says about production.
  if (allowInsecureHosts !== undefined && of('NODE_ENV') === 'production') problems.push(INSECURE);
  const environment = isEnvironmentName(named) ? named : named === undefined ? presetOf(issuer) : undefined;
  const jwksUri = of('MASKINPORTEN_JWKS_URI');
  return { provider: withoutUndefined({ environment, issuer, jwksUri, allowInsecureHosts }), problems };
}

/** NAIS gives the issuer only. */
const presetOf = (issuer: string | undefined): EnvironmentName | undefined =>
  (['test', 'prod'] as const).find((name) => ISSUER_PRESETS[name].issuer === issuer);

const withoutSlash = (text: string | undefined): string | undefined => text?.replace(/\/$/, '');

const NO_ENVIRONMENT = missing(
  'MASKINPORTEN_ENVIRONMENT',
  'is missing: set it to test or prod, or set MASKINPORTEN_ISSUER',
  'mangler: sett den til test eller prod, eller sett MASKINPORTEN_ISSUER',
);
const NO_CLIENT_ID = missing(
  'MASKINPORTEN_CLIENT_ID',
  'is missing: it is the client id that Digdir self-service shows',
  'mangler: det er klient-id-en som selvbetjeningen hos Digdir viser',
);
const NO_KID = missing(
  'MASKINPORTEN_KID',
  'is missing: it is the key id that self-service shows for the public key',
  'mangler: det er nøkkel-id-en som selvbetjeningen viser for den offentlige nøkkelen',
);
const NO_PKCS12 = wrong(
  'MASKINPORTEN_PKCS12_FILE',
  'is missing: MASKINPORTEN_PKCS12_PASSPHRASE is of no use without it',
  'mangler: MASKINPORTEN_PKCS12_PASSPHRASE er til ingen nytte uten den',
);
const NO_DATE = wrong(
  'MASKINPORTEN_KEY_REGISTERED_AT',
  'must be an ISO date such as 2026-01-31',
  'må være en ISO-dato, for eksempel 2026-01-31',
);
const NO_ENVIRONMENT_NAME = wrong('MASKINPORTEN_ENVIRONMENT', 'must be test or prod', 'må være test eller prod');
const NO_METADATA = wrong(
  'MASKINPORTEN_WELL_KNOWN_URL',
  'must be the address of a metadata document: https://<host>/.well-known/oauth-authorization-server',
  'må være adressen til et metadatadokument: https://<vert>/.well-known/oauth-authorization-server',
);
const OTHER_ISSUER = wrong(
  'MASKINPORTEN_WELL_KNOWN_URL',
  'is the address of another issuer than MASKINPORTEN_ISSUER',
  'er adressen til en annen utsteder enn MASKINPORTEN_ISSUER',
);
const INSECURE = wrong(
  'MASKINPORTEN_ALLOW_INSECURE_HOSTS',
  'is refused with NODE_ENV=production',
  'tillates ikke med NODE_ENV=production',
);

/** What is no number is refused where the option is checked, by the name of its variable. */
const numberOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
