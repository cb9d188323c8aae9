import { it } from '@jest/globals';

/** Whether everything must be there: CI services set the variable `CI`; `false` says that a run is not one of theirs. */
export const mustHaveAll = (ci: string | undefined): boolean => ci !== undefined && ci !== '' && ci !== 'false';

/**
 * Runs tests that need a program or service of the machine. Without it they are reported by name as not run, and where
 * everything must be there, that fails. `npm test` lists what was not run.
 */
export function needs(
  program: string,
  isThere: boolean,
  tests: () => void,
  problem = `${program} is not installed`,
): void {
  if (isThere) return tests();
  const report = mustHaveAll(process.env['CI']) ? it : it.skip;
  report(`not run: ${problem}`, () => {
    throw new Error(`${problem}. The environment variable CI says that no test may be left out.`);
  });
}
