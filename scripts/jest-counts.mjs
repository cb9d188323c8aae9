import { readFileSync } from 'node:fs';

/** What a Jest run counted, from the file that `--outputFile` names; a run that counted nothing has failed. */
export function jestCounts(outputFile) {
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests, numTotalTests } = JSON.parse(
      readFileSync(outputFile, 'utf8'),
    );
    return {
      passed: numPassedTests,
      failed: numFailedTests + numRuntimeErrorTestSuites + (numTotalTests === 0 ? 1 : 0),
      skipped: numPendingTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
