// Words used everywhere: what can fail, why, and who must act.
export { ERROR_CODES } from './error-code.js';
export type { ActBy, ErrorCategory, ErrorCodeFacts, Hint, MaskinportenErrorCode } from './error-code.js';
export { MaskinportenError, problemStatus } from './maskinporten-error.js';
export type { ErrorDetails, Failure, KeyFailureKind, OAuthErrorName } from './maskinporten-error.js';
export {
  AccessNotGrantedError,
  MaskinportenConfigurationError,
  OperationAbortedError,
  OutboundCallRefusedError,
  SigningCredentialError,
  TokenEndpointUnavailableError,
  TokenRequestInvalidError,
  TokenRequestRejectedError,
  TokenResponseUnusableError,
  createError,
  isMaskinportenError,
  withDetails,
} from './create-error.js';
export { ConfigurationFailures, configurationError } from './configuration-failures.js';
export { MP_CODES } from './mp-code.js';
export { TROUBLESHOOTING_URL, decodeOAuthError, isOAuthErrorBody, oauthFacts } from './oauth-error.js';
export type { OAuthFacts } from './oauth-error.js';
export { sanitiseText } from './sanitise-text.js';
export { moduleImported, moduleNotImported } from './module-not-imported.js';
