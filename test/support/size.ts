/** Whether this run is `npm run soak`, which a release needs. `npm test` runs the same tests in their short form. */
const soaking = process.env['SOAK'] === '1';

/**
 * The size of a test: short in `npm test`, full in `npm run soak`. The short form must notice the same faults.
 *
 * @example
 * const kills = sized({ test: 4, soak: 50 });
 */
export function sized<Size>({ test, soak }: { readonly test: Size; readonly soak: Size }): Size {
  return soaking ? soak : test;
}

/**
 * How often a property of fast-check runs: as often as said in `npm test`, at least 10,000 times in `npm run soak`.
 * A property that says nothing runs 100 times, and 10,000 times in the soak. For each mutant of `npm run mutation` it
 * runs 100 times at most: there are hundreds of them.
 *
 * @example
 * await fc.assert(property, { numRuns: runs(60) });
 */
export const runs = (test: number): number => {
  if (process.env['MUTATION_ROOM'] !== undefined) return Math.min(test, 100);
  return sized({ test, soak: Math.max(test, 10_000) });
};
