import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { CLIENT_SECRETS, isCommandVariable, isServiceLink, withSecretFiles } from 'nestjs-maskinporten/environment';
import { checkAudit } from './audit-checks.js';
import { checkCallers } from './caller-checks.js';
import { checkCredentials, checkDemo } from './environment-checks.js';
import { EnvironmentError, type SettingFailure } from './environment-error.js';
import { Environment, isDemo, VARIABLES } from './environment.js';
import { similarName } from './similar-name.js';

export type Variables = Readonly<Record<string, unknown>>;

/**
 * Reads the settings from variables of a process or a `.env` file. An empty variable counts as unset, since that is how
 * most tools write "not this one".
 *
 * @throws EnvironmentError that lists every missing and wrong setting and repeats no value.
 */
export function readEnvironment(variables: Variables): Environment {
  const known = knownVariables(variables);
  const { variables: filled, problems } = withSecretFiles(known, CLIENT_SECRETS);
  const secrets = Object.fromEntries(CLIENT_SECRETS.map((name) => [name, filled[name]]));
  // The names of the files stay: what is wrong with a secret is said of its file.
  const environment = plainToInstance(Environment, { ...known, ...secrets }, { exposeDefaultValues: true });
  const unread = problems.map(({ variable, reason }) => ({ variable, reason: reason.en }));
  const failures = onePerVariable([...unread, ...examine(environment, variables)]);
  if (failures.length > 0) throw new EnvironmentError(failures, environment);
  return environment;
}

/** Only what is needed to make the tables of the audit log; the rest may be missing where that is done. */
export function readEnvironmentForMigration(variables: Variables): Environment {
  const environment = plainToInstance(Environment, knownVariables(variables), { exposeDefaultValues: true });
  const failures = checkAudit(environment);
  if (failures.length > 0) throw new EnvironmentError(failures);
  return environment;
}

function examine(environment: Environment, variables: Variables): SettingFailure[] {
  const wrong = validateSync(environment, {
    stopAtFirstError: true,
    validationError: { target: false, value: false },
  }).map(({ property, constraints = {} }) => ({
    variable: property,
    reason: Object.values(constraints)[0] ?? 'is not valid',
  }));
  const unknown = unknownVariables(variables);
  // A mistyped name, or one of the command's, means that somebody did configure Maskinporten: that is not a demo.
  const demo = isDemo(environment) && unknown.length === 0 && !hasCommandVariable(variables);
  const together = demo ? checkDemo(environment, variables) : checkCredentials(environment);
  return onePerVariable([
    ...unknown,
    ...wrong,
    ...together,
    ...checkCallers(environment, demo),
    ...checkAudit(environment),
  ]);
}

function knownVariables(variables: Variables): Record<string, string> {
  const known: Record<string, string> = {};
  for (const name of VARIABLES) {
    const value = variables[name];
    if (typeof value !== 'string' || value.trim() === '') continue;
    // White space around a value is an accident of the tool that set it; in a key or a passphrase it may be content.
    known[name] = /(PRIVATE_KEY|PASSPHRASE|CLIENT_JWK)$/.test(name) ? value : value.trim();
  }
  return known;
}

function unknownVariables(variables: Variables): SettingFailure[] {
  return Object.entries(variables)
    .filter(([name, value]) => name.startsWith('MASKINPORTEN_') && value !== '' && !isKnown(name, value))
    .map(([name]) => {
      const guess = similarName(name, VARIABLES);
      return {
        variable: /^\w{1,80}$/.test(name) ? name : 'MASKINPORTEN_…',
        reason: guess === undefined ? 'is not a setting of this service' : `is not a setting; did you mean ${guess}?`,
      };
    });
}

/** A Service called `maskinporten` brings variables of its own, and one `.env` may serve the command too. */
const isKnown = (name: string, value: unknown): boolean =>
  (VARIABLES as readonly string[]).includes(name) || isCommandVariable(name) || isServiceLink(name, value);

const hasCommandVariable = (variables: Variables): boolean =>
  Object.entries(variables).some(
    ([name, value]) => isCommandVariable(name) && typeof value === 'string' && value.trim() !== '',
  );

function onePerVariable(failures: readonly SettingFailure[]): SettingFailure[] {
  return [...new Map(failures.toReversed().map((failure) => [failure.variable, failure])).values()].toReversed();
}
