import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import {
  CLIENT_VARIABLES,
  examineMaskinportenEnvironment,
  isCommandVariable,
  isSet,
  unknownVariables,
  type Variables,
} from 'nestjs-maskinporten/environment';
import { checkAudit, checkCallers, checkDelegation, checkDemo, checkDestinations } from './checks.js';
import { Environment, EnvironmentError, VARIABLES, type SettingFailure } from './environment.js';
import { Secret } from './secret.js';

/**
 * Reads the settings from variables of a process or a `.env` file. An empty variable counts as unset, since that is how
 * most tools write "not this one".
 *
 * @throws EnvironmentError that lists every missing and wrong setting and repeats no value.
 */
export function readEnvironment(variables: Variables): Environment {
  const environment = ownSettings(variables);
  const unknown = unknownVariables(variables).map(({ variable, reason }) => ({ variable, reason: reason.en }));
  const demo = unknown.length === 0 && !isConfigured(variables);
  const failures = [
    ...unknown,
    ...invalidSettings(environment),
    ...(demo ? checkDemo(environment, variables) : readClient(environment, variables)),
    ...checkCallers(environment, demo),
    ...checkAudit(environment),
  ];
  if (failures.length > 0) throw new EnvironmentError(inOrder(failures), environment);
  return environment;
}

/** Only what is needed to make the tables of the audit log; the rest may be missing where that is done. */
export function readEnvironmentForMigration(variables: Variables): Environment {
  const environment = ownSettings(variables);
  const failures = checkAudit(environment);
  if (failures.length > 0) throw new EnvironmentError(failures);
  return environment;
}

function ownSettings(variables: Variables): Environment {
  const own: Record<string, string> = {};
  for (const name of VARIABLES) {
    const value = isSet(variables, name) ? variables[name] : undefined;
    // White space around a value is an accident of the tool that set it.
    if (typeof value === 'string' && !CLIENT_VARIABLES.some((client) => client === name)) own[name] = value.trim();
  }
  return plainToInstance(Environment, own, { exposeDefaultValues: true });
}

/** A variable of the command alone means too that somebody did configure Maskinporten: that is not a demo. */
const isConfigured = (variables: Variables): boolean =>
  Object.keys(variables).some((name) => (isOfClient(name) || isCommandVariable(name)) && isSet(variables, name));

const isOfClient = (name: string): boolean =>
  name.startsWith('MASKINPORTEN_') && CLIENT_VARIABLES.some((known) => known === name);

function readClient(environment: Environment, variables: Variables): SettingFailure[] {
  const reading = examineMaskinportenEnvironment(variables);
  environment.maskinporten = new Secret(reading);
  return [
    ...reading.problems.map(({ variable, reason }) => ({ variable, reason: reason.en })),
    ...checkDelegation(environment, variables),
    ...checkDestinations(environment, reading),
  ];
}

const invalidSettings = (environment: Environment): SettingFailure[] =>
  validateSync(environment, { stopAtFirstError: true, validationError: { target: false, value: false } }).map(
    ({ property, constraints = {} }) => ({
      variable: property,
      reason: Object.values(constraints)[0] ?? 'is not valid',
    }),
  );

/** One for each variable, in the order of `.env.example`; names that nobody knows come first. */
function inOrder(failures: readonly SettingFailure[]): SettingFailure[] {
  const first = new Map(failures.toReversed().map((failure) => [failure.variable, failure]));
  return [...first.values()]
    .toReversed()
    .toSorted((a, b) => VARIABLES.indexOf(a.variable) - VARIABLES.indexOf(b.variable));
}
