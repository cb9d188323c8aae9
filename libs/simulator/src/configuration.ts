import type {
  AltinnSettingsInput,
  ChangeRequestInput,
  OrganisationInput,
  PackageInput,
  ResourceInput,
  SystemUserRequestInput,
} from './altinn/index.js';
import {
  type AnyCollection,
  type AnySettings,
  ConfigurationError,
  type ConfigurationProblem,
  type FaultInput,
  type SimulatorClock,
  isRecord,
} from './kernel/index.js';
import type {
  ClientInput,
  ConsentInput,
  DelegationInput,
  RevokedTokenInput,
  ScopeInput,
  SystemInput,
  SystemUserInput,
  Tolerance,
  UngrantedInput,
} from './maskinporten/index.js';

/** What the simulator knows at start; each list is also a resource of the operator API. All members are optional. */
export interface SimulatorConfig {
  clients?: ClientInput[];
  scopes?: ScopeInput[];
  ungranted?: UngrantedInput[];
  delegations?: DelegationInput[];
  systems?: SystemInput[];
  systemUsers?: SystemUserInput[];
  /** Consents that were given. Without this member every consent counts as given. */
  consents?: ConsentInput[];
  revokedTokens?: RevokedTokenInput[];
  /** What Altinn's register says of organisations that are special. */
  organisations?: OrganisationInput[];
  /** Resources of Altinn's registry that are special. */
  resources?: ResourceInput[];
  /** What access packages open. */
  accessPackages?: PackageInput[];
  /** Requests that vendors have sent before the start. */
  requests?: SystemUserRequestInput[];
  changeRequests?: ChangeRequestInput[];
  /** Where Altinn is documented one way and seen another. */
  altinn?: AltinnSettingsInput;
  /** What to let pass although the documentation says otherwise. Default: nothing. */
  tolerate?: Tolerance[];
  faults?: FaultInput[];
  /** How far the simulator's clock is ahead of the machine's. Default 0. */
  clockOffsetSeconds?: number;
}

const OFFSET = 'clockOffsetSeconds';

/**
 * Puts a configuration in place of what the lists hold.
 * @throws ConfigurationError listing every wrong field by its path; the lists are then unusable until the next try.
 */
export function applyConfiguration(
  config: unknown,
  collections: readonly AnyCollection[],
  clock: SimulatorClock,
  settings: readonly AnySettings[] = [],
): void {
  if (!isRecord(config)) throw new ConfigurationError([{ field: '', reason: 'The configuration must be an object' }]);
  const problems: ConfigurationProblem[] = [];
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      problems.push(...error.problems);
    }
  };
  const names = [...[...collections, ...settings].map(({ name }) => name), OFFSET];
  for (const name of Object.keys(config).filter((member) => !names.includes(member))) {
    problems.push({ field: name, reason: `is not a known member (known: ${names.join(', ')})` });
  }
  attempt(() => {
    const offset = config[OFFSET] ?? 0;
    if (typeof offset !== 'number') throw new ConfigurationError([{ field: OFFSET, reason: 'must be a number' }]);
    clock.setOffset(offset, OFFSET);
  });
  for (const group of settings) {
    group.clear();
    attempt(() => {
      if (config[group.name] !== undefined) group.set(config[group.name], group.name);
    });
  }
  for (const collection of collections) {
    collection.clear();
    const value = config[collection.name];
    if (value === undefined) continue;
    attempt(() => {
      if (!Array.isArray(value)) {
        throw new ConfigurationError([{ field: collection.name, reason: 'must be a list' }]);
      }
      collection.addUnknown(value, collection.name);
    });
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
}
