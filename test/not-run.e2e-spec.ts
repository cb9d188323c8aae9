import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { root } from './support/markdown.js';
import { mustHaveAll } from './support/needs.js';

const folder = mkdtempSync(join(tmpdir(), 'maskinporten-not-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NAME = 'not run: Absent is not installed';

/** Runs Jest on specs of the pattern, and counts as `npm test` does. */
function counted(testMatch: string, ci: string | undefined): unknown {
  const program = `
    import { spawnSync } from 'node:child_process';
    import jest from './jest.config.mjs';
    import { jestCounts } from './scripts/jest-counts.mjs';
    const [testMatch, outputFile] = process.argv.slice(1);
    const config = JSON.stringify({ ...jest.projects[0], testMatch: [testMatch] });
    const args = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--json', '--outputFile', outputFile];
    spawnSync(process.execPath, [...args, '--config', config], { stdio: 'ignore' });
    console.log(JSON.stringify(jestCounts(outputFile)));`;
  const { CI: _, ...env } = process.env;
  const args = ['--input-type=module', '-e', program, testMatch, join(folder, `${String(ci)}.json`)];
  const { stdout } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    env: ci === undefined ? env : { ...env, CI: ci },
  });
  return JSON.parse(stdout);
}

describe('tests of something that this machine does not have', () => {
  it('are named as not run', () => {
    expect(counted('<rootDir>/test/support/absent.probe.ts', undefined)).toEqual({
      passed: 2,
      failed: 0,
      skipped: 1,
      notRun: [NAME],
    });
  });

  it('fail when everything must be there', () => {
    expect(counted('<rootDir>/test/support/absent.probe.ts', '1')).toEqual({
      passed: 2,
      failed: 1,
      skipped: 0,
      notRun: [],
    });
  });

  it.each([undefined, '', 'false'])('may be absent when CI is %p', (ci) => {
    expect(mustHaveAll(ci)).toBe(false);
  });

  it.each(['1', 'true'])('may not when CI is %p', (ci) => {
    expect(mustHaveAll(ci)).toBe(true);
  });

  it('are not all there is: a run without tests has failed', () => {
    expect(counted('<rootDir>/test/support/nothing.probe.ts', 'none')).toMatchObject({ passed: 0, failed: 1 });
  });
});
