import { MaskinportenError, type ErrorDetails, type MaskinportenErrorCode } from '../errors/index.js';

/** One violated rule of Altinn's validation (`AUTH.VLD-nnnnn`) and the inputs it points at. */
export interface AltinnValidationError {
  readonly code: string;
  readonly paths: readonly string[];
}

/**
 * Altinn understood a call and refused it. `authCode` is Altinn's own code; the hint, `actBy` and the `MP_` code follow
 * from it.
 *
 * @example
 * try {
 *   await systemUsers.createRequest({ organisation });
 * } catch (error) {
 *   if (isAltinnError(error, 'AUTH-00004')) return 'already approved';
 *   throw error;
 * }
 */
export class AltinnError extends MaskinportenError {
  /** `AUTH-nnnnn` or `STD-nnnnn`. */
  declare readonly authCode?: string;
  declare readonly validationErrors?: readonly AltinnValidationError[];

  constructor(
    code: MaskinportenErrorCode,
    details: ErrorDetails,
    altinn: { readonly authCode?: string | undefined; readonly validationErrors?: readonly AltinnValidationError[] },
  ) {
    super(code, details);
    if (altinn.authCode !== undefined) this.authCode = altinn.authCode;
    if (altinn.validationErrors !== undefined && altinn.validationErrors.length > 0) {
      this.validationErrors = altinn.validationErrors;
    }
  }
}

/** True for a refusal of Altinn, optionally with one code; survives duplicated packages, where `instanceof` does not. */
export function isAltinnError(error: unknown, authCode?: string): error is AltinnError {
  if (!(error instanceof Error) || error.name !== 'AltinnError') return false;
  return authCode === undefined || ('authCode' in error && error.authCode === authCode);
}
