// Everything that the halves of the simulator build on.
export { ConfigurationError, type ConfigurationProblem } from './configuration-error.js';
export {
  type Reader,
  anyRecord,
  anything,
  flag,
  integer,
  isRecord,
  list,
  oneOf,
  optional,
  organisationNumber,
  record,
  refuse,
  scopeName,
  text,
  withDefault,
} from './readers.js';
export {
  ORGANISATION_AUTHORITY,
  type OrganisationIdentifier,
  isOrganisationNumber,
  isPersonNumber,
  organisationIdentifier,
} from './identifiers.js';
export { SimulatorClock, type TimeSource } from './simulator-clock.js';
export { type AnyCollection, Collection, type CollectionDefinition } from './collection.js';
export { type AnySettings, Settings } from './settings.js';
export { type LogEntry, type LoggedCheck, type LoggedRefusal, RequestLog } from './request-log.js';
export type { SimulatorPart, SimulatorUrls, World } from './part.js';
export { ROLES, type Role } from './role.js';
export { type Network, type NetworkOptions, hostNameOf, isLoopbackName, readNetwork } from './network.js';
export { Listener } from './listener.js';
export { sendProblem } from './problem.js';
export { type Fault, type FaultInput, Faults } from './fault.js';
export { RoleServer, logEntryOf } from './role-server.js';
