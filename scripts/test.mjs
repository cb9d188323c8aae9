// Everything CI runs, in order, with one closing line that counts it all: `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jestCounts } from './jest-counts.mjs';

const folder = mkdtempSync(join(tmpdir(), 'maskinporten-test-'));
const jest = (project, ...more) => {
  const output = join(folder, `${project}.json`);
  return {
    name: `tests: ${project}`,
    // A handle that a failed test left open must not hold up the verdict.
    command: `npm run --silent jest -- --selectProjects ${project} --forceExit --json --outputFile`
      .split(' ')
      .concat(output, more),
    output,
  };
};
const script = (name, ...args) => ({ name, command: ['npm', 'run', '--silent', name, ...args] });

const steps = [
  script('build'),
  script('typecheck'),
  script('lint'),
  script('format:check'),
  script('arrows'),
  // Jest would leave a core free; the other two start services of their own, which need it.
  jest('unit', '--maxWorkers=100%'),
  jest('e2e'),
  jest('package'),
];

let passed = 0;
let failed = 0;
let skipped = 0;
for (const { name, command, output } of steps) {
  console.log(`\n── ${name} ──`);
  const started = Date.now();
  const { status } = spawnSync(command[0], command.slice(1), {
    stdio: output ? ['ignore', 'ignore', 'inherit'] : 'inherit',
  });
  const counts = output
    ? jestCounts(output)
    : { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0 };
  // A run that failed although no test did (a coverage threshold, a crash at the end) is a failure too.
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  passed += counts.passed;
  failed += counts.failed;
  skipped += counts.skipped;
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  console.log(`${name}: ${counts.passed} passed, ${counts.failed} failed (${seconds} s)`);
  // Without a build nothing after it means anything.
  if (name === 'build' && status !== 0) break;
}
rmSync(folder, { recursive: true, force: true });
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed === 0 ? 0 : 1;
