import { readFileSync } from 'node:fs';

/**
 * What a Jest run counted, from the file that `--outputFile` names; a run that counted nothing has failed. `skipped` are
 * all tests that did not run, `notRun` the names of those that `test/support/needs.ts` left out.
 */
export function jestCounts(outputFile) {
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests, numTodoTests, ...run } =
      JSON.parse(readFileSync(outputFile, 'utf8'));
    const names = run.testResults.flatMap(({ assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === 'pending')
        .map(({ ancestorTitles, title }) => ancestorTitles.concat(title)),
    );
    return {
      passed: numPassedTests,
      failed: numFailedTests + numRuntimeErrorTestSuites + (run.numTotalTests === 0 ? 1 : 0),
      skipped: numPendingTests + numTodoTests,
      notRun: names.filter((name) => name.at(-1).startsWith('not run: ')).map((name) => name.join(' › ')),
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0, notRun: [] };
  }
}
