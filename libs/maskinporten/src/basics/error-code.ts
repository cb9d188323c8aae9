/** A word in capitals, or an SQLSTATE of five: never a sentence or a number, which may be about somebody. */
const CODE = /^(?:[A-Z][A-Z0-9_]{1,63}|[A-Z0-9]{5})$/;

/**
 * The `code` of an error: `ENOENT`, `ERR_OSSL_UNSUPPORTED`, an SQLSTATE. Undefined when there is none, and when what is
 * there is not a code. `instanceof` is not asked: errors of the core may come from another realm (worker, test runner).
 *
 * @example if (errorCode(error) === 'ENOENT') return undefined;
 */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  const { code } = error;
  return typeof code === 'string' && CODE.test(code) ? code : undefined;
}
