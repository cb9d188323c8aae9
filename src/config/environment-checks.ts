import { issuerOfWellKnown, KEY_VARIABLES } from 'nestjs-maskinporten/environment';
import type { Environment } from './environment.js';
import type { SettingFailure } from './environment-error.js';
import { checkDelegation } from './delegation-checks.js';
import { checkDestinations } from './destination-checks.js';
import { brokerUrl, issuerOf } from './issuer.js';

/** What the settings together get wrong when there is to be a real client; each alone has been checked already. */
export function checkCredentials(environment: Environment): SettingFailure[] {
  return [
    ...checkIssuer(environment),
    ...checkInsecureHosts(environment),
    ...checkClient(environment),
    ...checkKey(environment),
    ...checkPkcs12(environment),
    ...checkBroker(environment),
    ...checkDelegation(environment),
    ...checkDestinations(environment),
  ];
}

/** What a demo has no use for: callers, records and checkpoints of a real service (F-158). */
const NOT_OF_A_DEMO = /^(?:DATABASE_URL|DATABASE_MIGRATION_URL|REDIS_URL|API_KEYS|AUDIT_CHECKPOINT_KEY)(?:_FILE)?$/;

/**
 * Demo mode is for a developer's own machine. Where anything of a real service is set, its credentials are what is missing:
 * a demo would write into the real log, from which nothing can be removed.
 */
export function checkDemo({ NODE_ENV }: Environment, variables: Readonly<Record<string, unknown>>): SettingFailure[] {
  const real = Object.entries(variables)
    .filter(([name, value]) => NOT_OF_A_DEMO.test(name) && typeof value === 'string' && value.trim() !== '')
    .map(([name]) =>
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

function checkIssuer(environment: Environment): SettingFailure[] {
  const {
    MASKINPORTEN_ENVIRONMENT: name,
    MASKINPORTEN_ISSUER: issuer,
    MASKINPORTEN_WELL_KNOWN_URL: wellKnown,
  } = environment;
  if (wellKnown !== undefined && issuerOfWellKnown(wellKnown) === undefined) {
    return [
      fail(
        'MASKINPORTEN_WELL_KNOWN_URL',
        'must be the address of a metadata document: https://<host>/.well-known/oauth-authorization-server',
      ),
    ];
  }
  if (
    wellKnown !== undefined &&
    issuer !== undefined &&
    withoutSlash(issuer) !== withoutSlash(issuerOfWellKnown(wellKnown))
  ) {
    return [fail('MASKINPORTEN_WELL_KNOWN_URL', 'is the address of another issuer than MASKINPORTEN_ISSUER')];
  }
  if (name !== undefined || issuerOf(environment) !== undefined) return [];
  return [fail('MASKINPORTEN_ENVIRONMENT', 'is missing: set it to test or prod, or set MASKINPORTEN_ISSUER')];
}

/** The module looks at the rest; it does not know what a `.env` says about production. */
function checkInsecureHosts({ NODE_ENV, MASKINPORTEN_ALLOW_INSECURE_HOSTS: hosts }: Environment): SettingFailure[] {
  return NODE_ENV === 'production' && hosts !== undefined && hosts.length > 0
    ? [fail('MASKINPORTEN_ALLOW_INSECURE_HOSTS', 'is refused with NODE_ENV=production')]
    : [];
}

function checkClient({ MASKINPORTEN_CLIENT_ID: clientId }: Environment): SettingFailure[] {
  return clientId === undefined
    ? [fail('MASKINPORTEN_CLIENT_ID', 'is missing: it is the client id that Digdir self-service shows')]
    : [];
}

function checkKey(environment: Environment): SettingFailure[] {
  const given = KEY_VARIABLES.filter((name) => environment[name] !== undefined);
  const [first, ...rest] = given;
  if (first !== undefined) {
    return rest.map((name) => fail(name, `is set besides ${first}: keep one of them`));
  }
  const { MASKINPORTEN_KID: kid, MASKINPORTEN_CERTIFICATE_FILE: certificate } = environment;
  return [
    fail(
      'MASKINPORTEN_PRIVATE_KEY_FILE',
      'is missing: set it to the path of the private key (or set MASKINPORTEN_PRIVATE_KEY)',
    ),
    ...(kid === undefined && certificate === undefined
      ? [fail('MASKINPORTEN_KID', 'is missing: it is the key id that self-service shows for the public key')]
      : []),
  ];
}

function checkPkcs12({
  MASKINPORTEN_PKCS12_FILE: file,
  MASKINPORTEN_PKCS12_PASSPHRASE: passphrase,
}: Environment): SettingFailure[] {
  return file === undefined && passphrase !== undefined
    ? [fail('MASKINPORTEN_PKCS12_FILE', 'is missing: MASKINPORTEN_PKCS12_PASSPHRASE is of no use without it')]
    : [];
}

function checkBroker(environment: Environment): SettingFailure[] {
  // Without a known environment the first failure says so already.
  if (brokerUrl(environment) !== undefined || issuerOf(environment) === undefined) return [];
  return [fail('BROKER_URL', 'is missing: an issuer of your own has no Altinn platform to take the default from')];
}

const withoutSlash = (text: string | undefined): string | undefined => text?.replace(/\/$/, '');
const fail = (variable: string, reason: string): SettingFailure => ({ variable, reason });
