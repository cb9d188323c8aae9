/**
 * The `code` of an error of Node or OpenSSL; empty when there is none. Errors of the core may come from another realm
 * (worker, test runner), so `instanceof` is not asked.
 */
export function systemErrorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** OpenSSL knows what this is, and does not offer it. */
export function isUnsupported(error: unknown): boolean {
  return systemErrorCode(error).includes('UNSUPPORTED');
}
