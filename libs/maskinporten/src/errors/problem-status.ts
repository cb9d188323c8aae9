import { ERROR_CODES } from './error-code.js';
import type { MaskinportenError } from './maskinporten-error.js';

/** HTTP status when this error escapes to our own caller (docs/errors.md). */
export function problemStatus(error: MaskinportenError): number {
  // F-10: the answer had begun and was cut short, so somebody is there: 502 rather than 503.
  if (error.code === 'MP_NETWORK' && error.status !== undefined) return 502;
  return ERROR_CODES[error.code].httpStatus;
}
