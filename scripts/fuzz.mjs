// A million damaged inputs for each parser of foreign bytes: `npm run fuzz`, or for one: `npm run fuzz -- 'key files'`.
// FUZZ_RUNS sets another number. An input that fails is printed in base64; it belongs into test/fixtures/foreign-bytes.json.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const [parser] = process.argv.slice(2);
const options = ['--selectProjects', 'e2e', '--testTimeout', String(24 * 3_600_000), '--verbose'];
const only = parser === undefined ? [] : ['--testNamePattern', parser];
const { status } = spawnSync(
  'npm',
  ['run', '--silent', 'jest', '--', ...options, ...only, '--runTestsByPath', 'test/foreign-bytes.e2e-spec.ts'],
  {
    cwd: join(import.meta.dirname, '..'),
    stdio: 'inherit',
    env: { ...process.env, FUZZ_RUNS: process.env.FUZZ_RUNS ?? '1000000' },
  },
);
process.exitCode = status ?? 1;
