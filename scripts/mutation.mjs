// Mutation testing of one room: `npm run mutation -- <room>`. Each mutant is a small defect, and a spec of the room has
// to notice it. Stryker needs Node 22: it and a Node of its own are in tools/mutation, with a lockfile of their own.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const tools = join(root, 'tools/mutation');
const rooms = 'libs/maskinporten/src';
/** Share of the mutants, in percent, that the specs of a room must notice. */
const REQUIRED = 95;

const [room, ...more] = process.argv.slice(2);
if (room === undefined || !existsSync(join(root, rooms, room))) {
  console.error(`Usage: npm run mutation -- <room> [options of Stryker]\nA room is a folder of ${rooms}.`);
  process.exit(2);
}

const run = (command, args, cwd, env = {}) =>
  spawnSync(command, args, { cwd, stdio: 'inherit', env: { ...process.env, ...env } }).status ?? 1;

if (!existsSync(join(tools, 'node_modules/.package-lock.json'))) {
  const status = run('npm', ['ci', '--no-fund', '--no-audit', '--workspaces=false'], tools);
  if (status !== 0) process.exit(status);
}

const report = join(root, 'reports/mutation', `${room.replaceAll('/', '-')}.json`);
const config = join(tools, 'stryker.generated.json');
writeFileSync(
  config,
  JSON.stringify({
    packageManager: 'npm',
    plugins: [join(tools, 'node_modules/@stryker-mutator/jest-runner/dist/src/index.js')],
    testRunner: 'jest',
    testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    jest: { configFile: 'tools/mutation/jest.config.mjs', enableFindRelatedTests: false },
    // Only the tests that reach a mutant are run for it.
    coverageAnalysis: 'perTest',
    mutate: [`${rooms}/${room}/**/*.ts`, '!**/*.spec.ts', '!**/*.fixtures.ts', '!**/index.ts'],
    ignorePatterns: ['dist', 'libs/*/dist', 'reports', 'coverage', '.git', 'tools/mutation/node_modules'],
    reporters: ['clear-text', 'json'],
    clearTextReporter: { logTests: false, reportTests: false },
    jsonReporter: { fileName: report },
    concurrency: 2,
    timeoutMS: 120_000,
    thresholds: { high: 100, low: REQUIRED, break: REQUIRED },
    tempDirName: '.stryker-tmp',
    checkers: [],
  }),
);

const node = join(tools, 'node_modules/node/bin/node');
const stryker = join(tools, 'node_modules/@stryker-mutator/core/bin/stryker.js');
const pool = mkdtempSync(join(tmpdir(), 'maskinporten-pool-'));
const status = run(node, [stryker, 'run', config, ...more], root, { MUTATION_ROOM: room, TEST_POOL: pool });
rmSync(pool, { recursive: true });

if (existsSync(report)) {
  const files = Object.values(JSON.parse(readFileSync(report, 'utf8')).files);
  const mutants = files.flatMap((file) => file.mutants);
  const count = (...states) => mutants.filter((mutant) => states.includes(mutant.status)).length;
  console.log(
    `${room}: ${count('Killed', 'Timeout')} of ${mutants.length - count('CompileError', 'RuntimeError', 'Ignored')} mutants noticed, ` +
      `${count('Survived', 'NoCoverage')} survived. Report: ${report}`,
  );
}
process.exitCode = status;
