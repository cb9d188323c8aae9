const WEIGHTS = [3, 2, 7, 6, 5, 4, 3, 2];

/** Organisation numbers that pass modulus 11, from a series that is only used for tests (3xx xxx xxx). */
export function* organisations(): Generator<string, never> {
  for (let stem = 31_000_000; ; stem += 1) {
    const digits = String(stem);
    const sum = WEIGHTS.reduce((total, weight, index) => total + weight * Number(digits[index]), 0);
    const check = (11 - (sum % 11)) % 11;
    if (check < 10) yield `${digits}${check}`;
  }
}

export function takeOrganisations(count: number): string[] {
  const series = organisations();
  return Array.from({ length: count }, () => series.next().value);
}
