import type { MaskinportenErrorCode } from './error-code.js';
import { MaskinportenError, type ErrorDetails } from './maskinporten-error.js';

/** A setting is wrong or missing; the application does not start, or the call can never work as configured. */
export class MaskinportenConfigurationError extends MaskinportenError {}
/** Our own caller asked for something malformed; nothing was sent. */
export class TokenRequestInvalidError extends MaskinportenError {}
/** Maskinporten understood the request and refused it. */
export class TokenRequestRejectedError extends MaskinportenError {}
/** The signing key or certificate cannot be used (any more). */
export class SigningCredentialError extends MaskinportenError {}
/** The organisation lacks an access, a delegation or a system user: somebody else has to grant it. */
export class AccessNotGrantedError extends MaskinportenError {}
/** Maskinporten could not be reached, or has a fault of its own: later may work. */
export class TokenEndpointUnavailableError extends MaskinportenError {}
/** Something answered, but not as a token endpoint may. */
export class TokenResponseUnusableError extends MaskinportenError {}
/** An outgoing call was stopped before it was sent, because it would have gone out without or with the wrong token. */
export class OutboundCallRefusedError extends MaskinportenError {}
/** The caller's `AbortSignal` fired. */
export class OperationAbortedError extends MaskinportenError {}

type ErrorClass = new (code: MaskinportenErrorCode, details: ErrorDetails) => MaskinportenError;

const classOf: Readonly<Record<MaskinportenErrorCode, ErrorClass>> = {
  MP_CONFIG: MaskinportenConfigurationError,
  MP_CONFIG_ENDPOINT: MaskinportenConfigurationError,
  MP_EGRESS_BLOCKED: MaskinportenConfigurationError,
  MP_REQUEST: TokenRequestInvalidError,
  MP_AUDIENCE: TokenRequestRejectedError,
  MP_CLIENT_UNKNOWN: TokenRequestRejectedError,
  MP_SCOPE: TokenRequestRejectedError,
  MP_OAUTH: TokenRequestRejectedError,
  MP_CLOCK: TokenRequestRejectedError,
  MP_REPLAY: TokenRequestRejectedError,
  MP_SIGNATURE: SigningCredentialError,
  MP_CERTIFICATE: SigningCredentialError,
  MP_KEY_EXPIRED: SigningCredentialError,
  MP_CERTIFICATE_EXPIRED: SigningCredentialError,
  MP_NOT_GRANTED: AccessNotGrantedError,
  MP_SCOPE_NOT_GRANTED: AccessNotGrantedError,
  MP_NOT_DELEGATED: AccessNotGrantedError,
  MP_SYSTEMUSER_MISSING: AccessNotGrantedError,
  MP_NETWORK: TokenEndpointUnavailableError,
  MP_TIMEOUT: TokenEndpointUnavailableError,
  MP_THROTTLED: TokenEndpointUnavailableError,
  MP_UPSTREAM: TokenEndpointUnavailableError,
  MP_PROXY: TokenEndpointUnavailableError,
  MP_TLS: TokenResponseUnusableError,
  MP_REDIRECT: TokenResponseUnusableError,
  MP_PROTOCOL: TokenResponseUnusableError,
  MP_UPSTREAM_REJECTED: TokenResponseUnusableError,
  MP_NO_CONTEXT: OutboundCallRefusedError,
  MP_DESTINATION: OutboundCallRefusedError,
  MP_AUDIT: OutboundCallRefusedError,
  MP_ABORTED: OperationAbortedError,
};

/** Makes the error of a code; the class follows from the code, so that both always agree. */
export function createError(code: MaskinportenErrorCode, details: ErrorDetails): MaskinportenError {
  return new classOf[code](code, details);
}

function detailsOf(error: MaskinportenError): ErrorDetails {
  const { message, category, retryable, actBy, hint, docs, failures, retryAfterMs, status } = error;
  const { oauthError, mpCode, description, traceId, attempts, elapsedMs, clientId, kid, jti, scopes } = error;
  // prettier-ignore
  return {
    message, category, retryable, actBy, hint, docs, failures, retryAfterMs, status,
    oauthError, mpCode, description, traceId, attempts, elapsedMs, clientId, kid, jti, scopes,
  };
}

/**
 * The same error with facts that only an outer layer knows (attempts, elapsed time, client); the original is not changed.
 * Without facts it is a copy: an outcome that many callers share is given to each as an object of its own, because
 * axios, loggers and error trackers write on the errors that pass through them.
 */
export function withDetails(error: MaskinportenError, more: Partial<ErrorDetails> = {}): MaskinportenError {
  const copy = createError(error.code, { ...detailsOf(error), ...more });
  if (error.stack !== undefined) copy.stack = error.stack;
  return copy;
}

/**
 * True for every error of this module, also when two copies of the package are loaded (where `instanceof` fails).
 *
 * @example if (isMaskinportenError(error, 'MP_NOT_GRANTED')) askTheApiOwner();
 */
export function isMaskinportenError(error: unknown, code?: MaskinportenErrorCode): error is MaskinportenError {
  if (!(error instanceof Error) || !('code' in error) || !('actBy' in error) || !('category' in error)) return false;
  const found = error.code;
  if (typeof found !== 'string' || !Object.hasOwn(classOf, found)) return false;
  return code === undefined || found === code;
}
