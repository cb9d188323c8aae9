// Everything CI runs, with one closing line that counts it all: `N passed, N failed`. First what looks at the sources,
// side by side, then all tests in one run of Jest on all cores.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { jestCounts } from './jest-counts.mjs';

const cores = availableParallelism();
const folder = mkdtempSync(join(tmpdir(), 'maskinporten-test-'));
const outputFile = join(folder, 'jest.json');
const script = (name) => ({ name, command: ['npm', 'run', '--silent', name] });

const statics = ['build', 'typecheck', 'lint', 'format:check', 'arrows'].map(script);
const tests = {
  name: 'tests',
  // Tests of the packages wait for npm most of their time. A handle that a failed test left open must not hold up the
  // verdict.
  command: `npm run --silent jest -- --maxWorkers=${cores + 1} --forceExit --json --outputFile`
    .split(' ')
    .concat(outputFile),
  outputFile,
};

/** Runs a step to its end. What Jest reports is seen at once; the output of another step when it has failed. */
async function run({ name, command: [program, ...args], outputFile: counted }) {
  const started = Date.now();
  const output = [];
  const child = spawn(program, args, { stdio: counted ? ['ignore', 'ignore', 'inherit'] : ['ignore', 'pipe', 'pipe'] });
  child.stdout?.on('data', (chunk) => output.push(chunk));
  child.stderr?.on('data', (chunk) => output.push(chunk));
  const ok = await new Promise((resolve) => {
    child.once('error', (error) => {
      output.push(Buffer.from(`${error.message}\n`));
      resolve(false);
    });
    child.once('close', (code) => resolve(code === 0));
  });
  const counts = counted ? jestCounts(counted) : { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0, notRun: [] };
  const { skipped, notRun } = counts;
  // A test may be left out for something that the machine lacks, and for nothing else.
  const failed = counts.failed + skipped - notRun.length;
  // A run that failed although no test did (a crash at the end) is a failure too.
  const result = { name, ok, passed: counts.passed, failed: failed === 0 && !ok ? 1 : failed, notRun };
  if (!ok) process.stdout.write(`\n── ${name} ──\n${Buffer.concat(output).toString()}`);
  for (const what of notRun) console.log(what);
  if (skipped > notRun.length) console.log(`${skipped - notRun.length} skipped, although nothing is missing for them`);
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  console.log(`${name}: ${result.passed} passed, ${result.failed} failed (${seconds} s)`);
  return result;
}

/** Runs steps in order, as many at a time as there are cores. */
async function sideBySide(steps) {
  const waiting = [...steps];
  const results = [];
  const lane = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) results.push(await run(step));
  };
  await Promise.all(Array.from({ length: cores }, lane));
  return results;
}

const results = await sideBySide(statics);
// Tests of the service and of the packages run what was built.
if (results.some(({ name, ok }) => name === 'build' && ok)) results.push(await run(tests));
rmSync(folder, { recursive: true, force: true });
const sum = (member) => results.reduce((total, result) => total + result[member], 0);
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);
process.exitCode = sum('failed') === 0 ? 0 : 1;
