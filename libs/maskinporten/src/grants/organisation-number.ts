const SHAPE = /^(?:0192:)?([1-9]\d{8})$/;
/** Weights of the modulus-11 check that the Norwegian register of legal entities uses. */
const WEIGHTS = [3, 2, 7, 6, 5, 4, 3, 2] as const;

/**
 * Reads a Norwegian organisation number: nine digits that pass modulus 11, with or without the ISO 6523 prefix `0192:`.
 *
 * @returns the nine digits, or undefined when it is anything else (also for non-strings: no coercion, T-51)
 * @example parseOrganisationNumber('0192:310000027') // '310000027'
 */
export function parseOrganisationNumber(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const digits = SHAPE.exec(value)?.[1];
  if (digits === undefined) return undefined;
  const sum = WEIGHTS.reduce((total, weight, index) => total + weight * Number(digits[index]), 0);
  const control = (11 - (sum % 11)) % 11;
  return control === Number(digits[8]) ? digits : undefined;
}
