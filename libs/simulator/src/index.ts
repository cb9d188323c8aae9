// Start it
export { type Simulator, type SimulatorOptions, startSimulator } from './start-simulator.js';

// Configure it
export type { SimulatorConfig } from './configuration.js';
export { ConfigurationError, type ConfigurationProblem } from './kernel/index.js';
export type { FaultInput } from './kernel/index.js';
export type {
  AltinnSettingsInput,
  ChangeRequestInput,
  OrganisationInput,
  PackageInput,
  ResourceInput,
  SystemUserRequestInput,
} from './altinn/index.js';
export type {
  AccessPackageInput,
  ClientInput,
  ClientJwk,
  ConsentInput,
  DelegationInput,
  IssueTokenInput,
  LocalisedText,
  PartyInput,
  RevokedTokenInput,
  RightInput,
  ScopeInput,
  SystemInput,
  SystemUserInput,
  Tamper,
  Tolerance,
  UngrantedInput,
} from './maskinporten/index.js';

// Watch and steer it
export type { LogEntry, LoggedCheck, LoggedRefusal, TimeSource } from './kernel/index.js';
export type { Operator } from './operator/index.js';
