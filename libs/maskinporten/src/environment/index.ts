// Variables ↔ options: what the command, the doctor, the template and applications know about the environment.
export { withoutByteOrderMark } from '../basics/index.js';
export { CLIENT_VARIABLES, unknownVariables } from './client-variables.js';
export { isCommandVariable } from './command-variables.js';
export { fileVariable, KEY_VARIABLES, readKeyVariables } from './key-variables.js';
export type { KeyReading } from './key-variables.js';
export { printingSwitches, unsafeProcess } from './process-environment.js';
export {
  examineMaskinportenEnvironment,
  readMaskinportenEnvironment,
  readProviderEnvironment,
} from './read-maskinporten-environment.js';
export type {
  EnvironmentOptions,
  EnvironmentReading,
  EnvironmentReadingOptions,
  MaskinportenEnvironment,
  ProviderEnvironment,
} from './read-maskinporten-environment.js';
export { CLIENT_SECRETS, withSecretFiles } from './secret-files.js';
export type { SecretFilesResult } from './secret-files.js';
export { isServiceLink } from './service-link.js';
export { MaskinportenEnvironmentError } from './variable-problem.js';
export type { VariableProblem } from './variable-problem.js';
export { variableOf } from './variable-of.js';
export { isSet } from './variables.js';
export type { Variables } from './variables.js';
