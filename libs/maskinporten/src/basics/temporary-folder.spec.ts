import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compileRooms } from '../keys/compiled-rooms.fixtures.js';
import { TemporaryFolder } from './temporary-folder.js';

const program = mkdtempSync(join(tmpdir(), 'temporary-folder-'));
/** Makes a folder with a file, says where, and ends as it is asked to. */
const PROGRAM = `
import { writeFileSync } from 'node:fs';
import { TemporaryFolder } from './basics/index.js';
const { path } = await TemporaryFolder.make('temporary-folder-test-');
writeFileSync(path + '/file', 'about people');
process.stdin.once('data', () => process.exit(3));
process.stdout.write(path);
`;
beforeAll(() => {
  mkdirSync(program, { recursive: true });
  compileRooms(program, ['basics']);
  writeFileSync(join(program, 'start.js'), PROGRAM);
});
afterAll(() => rmSync(program, { recursive: true }));

describe('TemporaryFolder', () => {
  it('is for its owner alone, and leaves neither files nor listeners behind', async () => {
    const before = process.listenerCount('SIGTERM');
    const folder = await TemporaryFolder.make('temporary-folder-test-');
    expect(statSync(folder.path).mode & 0o777).toBe(0o700);
    writeFileSync(join(folder.path, 'file'), '');
    await folder.remove();
    expect(existsSync(folder.path)).toBe(false);
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });

  it.each<[how: string, signal: NodeJS.Signals | null, code: number | null]>([
    ['SIGINT', 'SIGINT', null],
    ['SIGTERM', 'SIGTERM', null],
    ['process.exit', null, 3],
  ])('is removed when the process ends by %s, which ends it as before', async (_how, signal, code) => {
    const child = spawn(process.execPath, [join(program, 'start.js')], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    const [path] = (await once(child.stdout, 'data')) as [Buffer];
    expect(existsSync(join(path.toString(), 'file'))).toBe(true);
    if (signal === null) child.stdin.write('exit');
    else child.kill(signal);
    expect(await ended).toEqual([code, signal]);
    expect(existsSync(path.toString())).toBe(false);
  });
});
