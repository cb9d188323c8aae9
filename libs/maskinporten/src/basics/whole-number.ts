/** Is it a whole number from `from` to `to`? A text of digits is not one. */
export const isWholeNumber = (value: unknown, from: number, to: number): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= from && value <= to;

/** What is wrong with a value that `isWholeNumber` refuses; completes "`name` …". */
export const notWholeNumber = (from: number, to: number): string => `must be a whole number from ${from} to ${to}`;
