import { isSet, type EnvironmentReading, type Variables } from 'nestjs-maskinporten/environment';
import { readApiKeyEntries } from './api-key-entries.js';
import { brokerUrl, type Environment, type SettingFailure } from './environment.js';
import { ALTINN_APP_PATH } from './known-resources.js';

// What settings together get wrong; each alone has been checked already.

/** What a demo has no use for: callers, records and checkpoints of a real service (F-158). */
const NOT_OF_A_DEMO = /^(?:DATABASE_URL|DATABASE_MIGRATION_URL|REDIS_URL|API_KEYS|AUDIT_CHECKPOINT_KEY)(?:_FILE)?$/;

/**
 * Demo mode is for a developer's own machine. Where anything of a real service is set, its credentials are what is missing:
 * a demo would write into the real log, from which nothing can be removed.
 */
export function checkDemo({ NODE_ENV }: Environment, variables: Variables): SettingFailure[] {
  const real = Object.keys(variables)
    .filter((name) => NOT_OF_A_DEMO.test(name) && isSet(variables, name))
    .map((name) =>
      fail(
        name,
        'is set, but no MASKINPORTEN_* variable is: a service with it is not a demo. Set the MASKINPORTEN_* variables, or ' +
          'remove this one to run the demo',
      ),
    );
  if (NODE_ENV !== 'production') return real;
  return [
    ...real,
    fail(
      'NODE_ENV',
      'is production, but no MASKINPORTEN_* variable is set: without credentials the service would run on the embedded ' +
        'simulator (demo mode), which is refused in production',
    ),
  ];
}

/** Who may call the service. A demo has a caller of its own. */
export function checkCallers({ API_KEYS: keys, API_KEYS_FILE: file }: Environment, demo: boolean): SettingFailure[] {
  if (keys !== undefined && file !== undefined) {
    return [fail('API_KEYS_FILE', 'is set besides API_KEYS: keep one of them')];
  }
  if (keys !== undefined) {
    const read = readApiKeyEntries(keys.reveal());
    return 'reasons' in read ? [fail('API_KEYS', read.reasons.join('; '))] : [];
  }
  if (file !== undefined || demo) return [];
  const what = 'set it to the path of the list of callers (or set API_KEYS), since only they are answered';
  return [fail('API_KEYS_FILE', `is missing: ${what}`)];
}

export const isPostgresUrl = (text: string): boolean => /^postgres(?:ql)?:\/\/\S+$/.test(text) && URL.canParse(text);

/** Where the audit log is; whether it can be opened is found out at start. */
export function checkAudit(environment: Environment): SettingFailure[] {
  const addresses = (['DATABASE_URL', 'DATABASE_MIGRATION_URL'] as const).flatMap((name) => {
    const [url, file] = [environment[name], `${name}_FILE` as const];
    if (url === undefined) return [];
    if (!isPostgresUrl(url.reveal())) return [fail(name, 'must be postgresql://…')];
    return environment[file] === undefined ? [] : [fail(file, `is set besides ${name}: keep one of them`)];
  });
  const forgets = environment.NODE_ENV === 'production' && environment.AUDIT_DATA_DIR.startsWith('memory:');
  const memory = fail('AUDIT_DATA_DIR', 'is memory://, which forgets: name a folder, or set DATABASE_URL');
  return [...addresses, ...(forgets ? [memory] : [])];
}

const NEEDED = {
  ALTINN_SUBSCRIPTION_KEY: 'the key with which Altinn opens its PDP, which is asked about rights',
  KRAV_OG_BETALINGER_URL: 'the base address of Krav og betalinger',
  ALTINN_APP_URL: `the base address of the Altinn app, https://<host>${ALTINN_APP_PATH}`,
} as const;

/** Acting for customers needs a system in Altinn's register; without one those routes do not exist. */
export function checkDelegation({ ALTINN_APP_URL: app }: Environment, variables: Variables): SettingFailure[] {
  const names = Object.keys(NEEDED) as (keyof typeof NEEDED)[];
  if (!isSet(variables, 'ALTINN_SYSTEM_ID')) {
    const given = names.find((name) => isSet(variables, name) || isSet(variables, `${name}_FILE`));
    return given === undefined ? [] : [fail('ALTINN_SYSTEM_ID', `is missing: ${given} is of no use without a system`)];
  }
  const absent = names.filter((name) => !isSet(variables, name) && !isSet(variables, `${name}_FILE`));
  const wrongApp =
    app !== undefined && URL.canParse(app) && !new URL(app).pathname.replace(/\/$/, '').endsWith(ALTINN_APP_PATH);
  return [
    ...absent.map((name) => fail(name, `is missing: it is ${NEEDED[name]}`)),
    ...(wrongApp
      ? [
          fail(
            'ALTINN_APP_URL',
            `must end with ${ALTINN_APP_PATH}: that is the app whose rights the service asks about`,
          ),
        ]
      : []),
  ];
}

/** Addresses to which calls would be stopped before they are sent, because no token may go there. */
export function checkDestinations(environment: Environment, reading: EnvironmentReading): SettingFailure[] {
  const { KRAV_OG_BETALINGER_URL, ALTINN_APP_URL } = environment;
  const broker = brokerUrl(environment);
  const { options } = reading;
  // Without a known environment the first failure says so already.
  const noBroker = broker === undefined && options.issuer !== undefined;
  const missing = Object.entries({ BROKER_URL: broker, KRAV_OG_BETALINGER_URL, ALTINN_APP_URL })
    .map(([variable, url]) => ({ variable, origin: originOf(url) }))
    .filter(({ origin }) => origin !== undefined && !reading.allDestinations.some((entry) => allows(entry, origin)));
  const origins = [...new Set(missing.map(({ origin }) => origin))].join(', ');
  const calls = missing.map(({ variable }) => variable).join(', ');
  return [
    ...(noBroker
      ? [fail('BROKER_URL', 'is missing: an issuer of your own has no Altinn platform to take the default from')]
      : []),
    ...(missing.length === 0
      ? []
      : [
          fail(
            'MASKINPORTEN_DESTINATIONS',
            `does not list ${origins}, so calls to ${calls} would be stopped before they are sent`,
          ),
        ]),
  ];
}

/** The wildcard is one label: the apps of all owners. */
function allows(entry: string, origin: string): boolean {
  const [scheme = '', domain] = entry.split('*');
  if (domain === undefined) return originOf(entry) === origin;
  return (
    origin.startsWith(scheme) &&
    origin.endsWith(domain) &&
    /^[a-z\d-]+$/.test(origin.slice(scheme.length, -domain.length))
  );
}

const originOf = (url: string | undefined): string | undefined =>
  url !== undefined && URL.canParse(url) ? new URL(url).origin : undefined;

const fail = (variable: string, reason: string): SettingFailure => ({ variable, reason });
