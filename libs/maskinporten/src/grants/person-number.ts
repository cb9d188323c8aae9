const FIRST_CONTROL = [3, 7, 6, 1, 8, 9, 4, 5, 2] as const;
const SECOND_CONTROL = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2] as const;

/**
 * True for eleven digits whose two check digits agree (modulus 11). The date part is not read: D-numbers and the
 * synthetic numbers of the test register add to day or month, so that `01819000391` is a valid one.
 */
export function isPersonNumber(value: unknown): value is string {
  if (typeof value !== 'string' || !/^\d{11}$/.test(value)) return false;
  return [FIRST_CONTROL, SECOND_CONTROL].every((weights) => {
    const sum = weights.reduce((total, weight, index) => total + weight * Number(value[index]), 0);
    return (11 - (sum % 11)) % 11 === Number(value[weights.length]);
  });
}
