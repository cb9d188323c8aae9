// What is known about variables, for everybody who reads them: the command, the template, an application.
export { withoutByteOrderMark } from '../basics/index.js';
export { isCommandVariable } from './command-variables.js';
export { issuerOfWellKnown } from './issuer-of-well-known.js';
export { fileVariable, KEY_VARIABLES } from './key-variables.js';
export type { KeyVariable } from './key-variables.js';
export { CLIENT_SECRETS, withSecretFiles } from './secret-files.js';
export type { SecretFileProblem, SecretFilesResult } from './secret-files.js';
export { isServiceLink } from './service-link.js';
export { variableOf } from './variable-of.js';
export type { Variables } from './variables.js';
