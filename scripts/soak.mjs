// `npm run soak`: what a release needs beyond `npm test`. The tests that have a full size run at it, the built service
// goes through real outages, and hostile key files are loaded against a limit of time. The machine should be quiet.
// One closing line counts it all: `N passed, N failed`.
//   npm run soak -- --only hostile-keys,soak-health    one or more of the steps: unit, e2e, package, hostile-keys, soak-health
//   npm run soak -- --list                             the specs that have a full size
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { jestCounts } from './jest-counts.mjs';
import { soakSpecs } from './soak-specs.mjs';

const { values } = parseArgs({ options: { list: { type: 'boolean', default: false }, only: { type: 'string' } } });
const root = join(import.meta.dirname, '..');
const specs = soakSpecs();
if (values.list) {
  console.log(specs.join('\n'));
  process.exit();
}

const folder = mkdtempSync(join(tmpdir(), 'maskinporten-soak-'));
const jest = (project, ofProject) => {
  const outputFile = join(folder, `${project}.json`);
  const options = [
    '--selectProjects',
    project,
    '--maxWorkers=100%',
    '--forceExit',
    '--json',
    '--outputFile',
    outputFile,
  ];
  const command = ['npm', 'run', '--silent', 'jest', '--', ...options, '--runTestsByPath', ...ofProject];
  return ofProject.length > 0 ? [{ name: project, command, outputFile }] : [];
};
const script = (name) => ({ name, command: ['node', `scripts/${name}.mjs`] });

const all = [
  ...jest(
    'unit',
    specs.filter((spec) => spec.endsWith('.spec.ts')),
  ),
  ...jest(
    'e2e',
    specs.filter((spec) => spec.endsWith('.e2e-spec.ts')),
  ),
  ...jest(
    'package',
    specs.filter((spec) => spec.endsWith('.package-spec.ts')),
  ),
  script('hostile-keys'),
  script('soak-health'),
];
const only = values.only?.split(',') ?? all.map(({ name }) => name);
const unknown = only.filter((wanted) => !all.some(({ name }) => name === wanted));
if (unknown.length > 0) {
  console.error(`There is no step ${unknown.join(', ')}. The steps are ${all.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}
const steps = [{ name: 'build', command: ['npm', 'run', '--silent', 'build'] }].concat(
  all.filter(({ name }) => only.includes(name)),
);

console.log(
  `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`,
);
const started = Date.now();
const minutesSince = (since) => ((Date.now() - since) / 60_000).toFixed(1);
let passed = 0;
let failed = 0;
for (const { name, command, outputFile } of steps) {
  console.log(`\n── ${name} ──`);
  const stepStarted = Date.now();
  const { status } = spawnSync(command[0], command.slice(1), {
    cwd: root,
    env: { ...process.env, SOAK: '1' },
    stdio: outputFile ? ['ignore', 'ignore', 'inherit'] : 'inherit',
  });
  const ok = status === 0;
  const counts = outputFile ? jestCounts(outputFile) : { passed: ok ? 1 : 0, failed: ok ? 0 : 1 };
  // A run that failed although no test did is a failure too, and so is a test that did not run.
  counts.failed = Math.max(counts.failed, ok ? 0 : 1) + (counts.skipped ?? 0);
  passed += counts.passed;
  failed += counts.failed;
  console.log(`${name}: ${counts.passed} passed, ${counts.failed} failed (${minutesSince(stepStarted)} min)`);
  // Without a build nothing after it means anything.
  if (name === 'build' && !ok) break;
}
rmSync(folder, { recursive: true, force: true });
console.log(`\n${passed} passed, ${failed} failed (${minutesSince(started)} min)`);
process.exitCode = failed === 0 ? 0 : 1;
