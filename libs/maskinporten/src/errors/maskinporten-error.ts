import { ownMembers } from '../basics/index.js';
import { ERROR_CODES, type ActBy, type ErrorCategory, type Hint, type MaskinportenErrorCode } from './error-code.js';

/** One cause, named after the setting, claim or input that has to change. */
export interface Failure {
  readonly field: string;
  readonly code: MaskinportenErrorCode;
  readonly reason: string;
  /** What sort of fault it is, when the setting is one of a key. */
  readonly kind?: KeyFailureKind;
}

/** What can be wrong with a configured key; the doctor explains each. */
export type KeyFailureKind =
  /** How the source is written: no or two kinds of source, a value of the wrong type. */
  | 'source'
  /** The file cannot be read, or too many may read it. */
  | 'file'
  /** What was read is not a key, is damaged or lacks something. */
  | 'content'
  | 'passphrase'
  /** Not RSA, or of a size or algorithm that Maskinporten does not take. */
  | 'algorithm'
  | 'not-for-signing'
  /** Several keys, and none or more than one is meant. */
  | 'choice'
  | 'kid-missing'
  | 'kid-malformed'
  | 'certificate-of-another-key';

/** OAuth `error` values we know; anything else a server says becomes `unknown_error`, so that it cannot smuggle text. */
export type OAuthErrorName =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'invalid_target'
  | 'invalid_authorization_details'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'access_denied'
  | 'forbidden'
  | 'invalid_altinn_customer_configuration'
  | 'server_error'
  | 'temporarily_unavailable'
  | 'unknown_error';

/** What one occurrence of an error adds to the facts of its code. Nothing secret may be put here. */
export interface ErrorDetails {
  readonly message: string;
  readonly category?: ErrorCategory | undefined;
  readonly retryable?: boolean | undefined;
  readonly actBy?: ActBy | undefined;
  readonly hint?: Hint | undefined;
  readonly docs?: string | undefined;
  readonly failures?: readonly Failure[] | undefined;
  /** Which field to blame when `failures` is not given; default: the field of the code. */
  readonly field?: string | undefined;
  /** Milliseconds to wait before trying again, when the server or the circuit said so. */
  readonly retryAfterMs?: number | undefined;
  /** HTTP status of the answer that caused it. */
  readonly status?: number | undefined;
  readonly oauthError?: OAuthErrorName | undefined;
  /** `MP-nnn` as Maskinporten wrote it. */
  readonly mpCode?: string | undefined;
  /** The server's own sentence, cleaned by `sanitiseText`. */
  readonly description?: string | undefined;
  readonly traceId?: string | undefined;
  readonly attempts?: number | undefined;
  readonly elapsedMs?: number | undefined;
  readonly clientId?: string | undefined;
  /** Key id; only its first eight characters are kept. */
  readonly kid?: string | undefined;
  /** `jti` of the last grant that was signed. */
  readonly jti?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
}

/**
 * Base of every error this module throws. It carries what failed (`message`, `failures`), why (`code`, `mpCode`,
 * `description`), what to do (`hint`) and who must act (`actBy`), and never a token, an assertion or key material:
 * there is no `cause`, because HTTP clients keep headers and bodies in theirs.
 *
 * @example
 * try {
 *   await tokens.getToken('altinn:broker.read');
 * } catch (error) {
 *   if (isMaskinportenError(error) && error.actBy === 'customer') notifyCustomer(error.hint.nb);
 * }
 */
export abstract class MaskinportenError extends Error {
  readonly code: MaskinportenErrorCode;
  readonly category: ErrorCategory;
  readonly retryable: boolean;
  readonly actBy: ActBy;
  readonly hint: Hint;
  readonly failures: readonly Failure[];
  declare readonly docs?: string;
  declare readonly retryAfterMs?: number;
  declare readonly status?: number;
  declare readonly oauthError?: OAuthErrorName;
  declare readonly mpCode?: string;
  declare readonly description?: string;
  declare readonly traceId?: string;
  declare readonly attempts?: number;
  declare readonly elapsedMs?: number;
  declare readonly clientId?: string;
  declare readonly kid?: string;
  declare readonly jti?: string;
  declare readonly scopes?: readonly string[];

  constructor(code: MaskinportenErrorCode, given: ErrorDetails) {
    super(given.message);
    const facts = ERROR_CODES[code];
    // Without a prototype, so that a polluted one adds nothing to an error (T-66).
    const details = ownMembers(given);
    this.name = new.target.name;
    this.code = code;
    this.category = details.category ?? facts.category;
    this.retryable = details.retryable ?? facts.retryable;
    this.actBy = details.actBy ?? facts.actBy;
    this.hint = details.hint ?? facts.hint;
    const failures = details.failures ?? [{ field: details.field ?? facts.field, code, reason: details.message }];
    this.failures = Object.freeze(failures.map((failure) => Object.freeze({ ...failure })));
    if (details.docs !== undefined) this.docs = details.docs;
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
    if (details.status !== undefined) this.status = details.status;
    if (details.oauthError !== undefined) this.oauthError = details.oauthError;
    if (details.mpCode !== undefined) this.mpCode = details.mpCode;
    if (details.description !== undefined) this.description = details.description;
    if (details.traceId !== undefined) this.traceId = details.traceId;
    if (details.attempts !== undefined) this.attempts = details.attempts;
    if (details.elapsedMs !== undefined) this.elapsedMs = details.elapsedMs;
    if (details.clientId !== undefined) this.clientId = details.clientId;
    if (details.kid !== undefined) this.kid = details.kid.slice(0, 8);
    if (details.jti !== undefined) this.jti = details.jti;
    if (details.scopes !== undefined) this.scopes = Object.freeze([...details.scopes]);
  }

  /** Everything but the stack; safe to log and to send to a support desk. */
  toJSON(): Record<string, unknown> {
    return Object.fromEntries([...Object.entries(this), ['message', this.message]]);
  }
}

/** HTTP status when this error escapes to our own caller (docs/errors.md). */
export function problemStatus(error: MaskinportenError): number {
  // F-10: the answer had begun and was cut short, so somebody is there: 502 rather than 503.
  if (error.code === 'MP_NETWORK' && error.status !== undefined) return 502;
  return ERROR_CODES[error.code].httpStatus;
}
