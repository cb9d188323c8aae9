import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runInProcess } from './cli.fixtures.js';

describe('simulator', () => {
  it('starts the program of the installed package with the arguments it was given', async () => {
    const started: (readonly string[])[] = [];
    const runNode = async (args: readonly string[]): Promise<number> => Promise.resolve(started.push(args) - 1);
    const args = ['simulator', '--port', '0', '--config', 'simulator.json', '--json', '--', '--help'];
    const run = await runInProcess(args, { runNode });
    expect(run).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    const [program = '', ...rest] = started[0] ?? [];
    expect(basename(program)).toBe('command.js');
    expect(program).toContain('simulator');
    expect(rest).toEqual(['--port', '0', '--config', 'simulator.json', '--json', '--help']);
  });

  it.each([
    [0, 0],
    [1, 1],
    [2, 2],
    [137, 1],
  ])('an exit code of %d becomes %d', async (code, exitCode) => {
    expect((await runInProcess(['simulator'], { runNode: async () => Promise.resolve(code) })).exitCode).toBe(exitCode);
  });

  it('says how to install it where it is not', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'maskinporten-no-simulator-'));
    expect(existsSync(join(cwd, 'node_modules'))).toBe(false);
    const run = await runInProcess(['simulator'], { cwd });
    expect(run).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('npm install --save-dev maskinporten-simulator'),
    });
    rmSync(cwd, { recursive: true });
  });
});
