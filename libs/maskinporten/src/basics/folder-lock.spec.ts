import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { sized } from '../../../../test/support/size.js';
import { compileRooms } from '../keys/compiled-rooms.fixtures.js';
import { FolderInUseError, FolderLock, FolderNotLockableError } from './folder-lock.js';
import { sharedFileSystem } from './shared-file-system.js';

/** The first start on a folder, and those after one, two and three crashes. */
const ROUNDS = sized({ test: 4, soak: 12 });
const root = mkdtempSync(join(tmpdir(), 'folder-lock-'));
const program = join(root, 'program');
const children = new Set<ChildProcess>();
let folders = 0;
const newFolder = (name = `folder-${(folders += 1)}`): string => {
  const folder = join(root, name);
  mkdirSync(folder);
  return folder;
};

/** Says that it is there, waits for a line, tries to take the lock, says how that ended, and waits. */
const PROGRAM = `
import { FolderLock } from './basics/folder-lock.js';
process.stdin.once('data', () => {
  FolderLock.take(process.argv[2]).then(
    () => process.stdout.write('held\\n'),
    (error) => process.stdout.write(error.name + ' ' + (error.file ?? error.message) + '\\n'),
  );
});
process.stdout.write('ready\\n');
`;

class Start {
  readonly child: ChildProcess;
  readonly #lines: Interface;
  readonly #said: string[] = [];

  /** @param wrapper a command that runs the one that follows it */
  constructor(folder: string, wrapper: readonly string[] = []) {
    const [command, ...args] = [...wrapper, process.execPath, join(program, 'start.js'), folder];
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    children.add(this.child);
    if (this.child.stdout === null) throw new Error('there is no pipe');
    this.#lines = createInterface({ input: this.child.stdout });
    this.#lines.on('line', (line) => this.#said.push(line));
  }

  async line(index: number): Promise<string> {
    while (this.#said.length <= index) await once(this.#lines, 'line');
    return this.#said[index] ?? '';
  }

  go(): void {
    this.child.stdin?.write('go\n');
  }

  async kill(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
    children.delete(this.child);
  }
}

beforeAll(() => {
  mkdirSync(program);
  compileRooms(program, ['basics']);
  writeFileSync(join(program, 'start.js'), PROGRAM);
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Starts so many at once on a folder; what each says. */
async function startAtOnce(folder: string, count: number): Promise<Map<Start, string>> {
  const starts = Array.from({ length: count }, () => new Start(folder));
  await Promise.all(starts.map((start) => start.line(0)));
  for (const start of starts) start.go();
  return new Map(await Promise.all(starts.map(async (start) => [start, await start.line(1)] as const)));
}

describe('FolderLock', () => {
  it('F-153: has one holder, who releases it, and names its file to others, in this process too', async () => {
    const folder = newFolder();
    expect(await FolderLock.heldFile(folder)).toBeUndefined();
    const lock = await FolderLock.take(folder);
    const file = join(folder, 'in-use.1');
    expect(await FolderLock.heldFile(folder)).toBe(file);
    const refused = FolderLock.take(folder);
    await expect(refused).rejects.toBeInstanceOf(FolderInUseError);
    await expect(refused).rejects.toMatchObject({ file });
    expect(readdirSync(folder)).toEqual(['in-use.1']);
    await lock.release();
    expect(await FolderLock.heldFile(folder)).toBeUndefined();
    await (await FolderLock.take(folder)).release();
  });

  it(`F-153: of six starts at once after a crash exactly one has it, in ${ROUNDS} of ${ROUNDS} rounds`, async () => {
    const folder = newFolder();
    for (let round = 1; round <= ROUNDS; round += 1) {
      const said = await startAtOnce(folder, 6);
      const holders = [...said].filter(([, line]) => line === 'held');
      const others = [...said].filter(([, line]) => line !== 'held').map(([, line]) => line);
      expect([round, holders.length]).toEqual([round, 1]);
      // One that comes too late sees the holder's number, or that of one who gives up.
      for (const line of others) expect(line).toMatch(/^FolderInUseError .*\/in-use\.\d+$/);
      expect(await FolderLock.heldFile(folder)).toMatch(/\/in-use\.\d+$/);
      await Promise.all([...said.keys()].map((start) => start.kill()));
      expect(await FolderLock.heldFile(folder)).toBeUndefined();
    }
  }, 120_000);

  it('F-153: a number is used once, so that one who saw a dead holder and comes late finds it taken', async () => {
    const folder = newFolder();
    for (const number of [1, 2, 3]) {
      const lock = await FolderLock.take(folder);
      expect(await FolderLock.heldFile(folder)).toBe(join(folder, `in-use.${number}`));
      await lock.release();
    }
    expect(readdirSync(folder).toSorted()).toEqual(['in-use.1', 'in-use.2', 'in-use.3']);
  });

  it('F-153: the lock does not look at process ids', async () => {
    const folder = newFolder();
    // Two containers: both are process 1 of their own.
    const isAllowed = spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0;
    const container = isAllowed ? ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--net'] : [];
    const first = new Start(folder, container);
    const second = new Start(folder, container);
    for (const start of [first, second]) {
      await start.line(0);
      start.go();
      await start.line(1);
    }
    expect(await first.line(1)).toBe('held');
    expect(await second.line(1)).toMatch(/^FolderInUseError/);
  });

  it('F-153: what is no socket, or that of a dead process, holds nothing; what cannot be asked does', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'in-use.7'), 'as a backup makes it');
    expect(await FolderLock.heldFile(folder)).toBeUndefined();
    const lock = await FolderLock.take(folder);
    expect(await FolderLock.heldFile(folder)).toBe(join(folder, 'in-use.8'));
    await lock.release();
  });

  it('keeps the last claims, and no more of them', async () => {
    const folder = newFolder();
    for (let time = 0; time < 40; time += 1) await (await FolderLock.take(folder)).release();
    expect(readdirSync(folder).length).toBeLessThanOrEqual(17);
    expect(readdirSync(folder)).toContain('in-use.40');
  });

  it('F-153: a folder with a path that is too long for a socket is locked all the same, and in the right place', async () => {
    const folder = newFolder('x'.repeat(200));
    const lock = await FolderLock.take(folder);
    expect(readdirSync(folder)).toEqual(['in-use.1']);
    await expect(FolderLock.take(folder)).rejects.toMatchObject({ file: join(folder, 'in-use.1') });
    // A start that is refused leaves nothing behind, however often it is tried.
    expect(readdirSync(folder)).toEqual(['in-use.1']);
    await lock.release();
    expect(await FolderLock.heldFile(folder)).toBeUndefined();
  });

  it('F-153: what starts leave behind that died before they had a number is removed', async () => {
    const folder = newFolder();
    const dead = 'in-use.0e4b8f1c-3f0d-4c52-9a53-0d2a86b3d7aa';
    writeFileSync(join(folder, dead), '');
    utimesSync(join(folder, dead), new Date('2026-01-01'), new Date('2026-01-01'));
    const lock = await FolderLock.take(folder);
    expect(readdirSync(folder)).toEqual(['in-use.1']);
    await lock.release();
  });

  it('F-153: a folder that takes no sockets is refused, with the reason', async () => {
    const refused = FolderLock.take('/proc/self');
    await expect(refused).rejects.toBeInstanceOf(FolderNotLockableError);
    await expect(refused).rejects.toThrow(/takes no Unix sockets \(E[A-Z]+\)/);
  });

  it('F-153: file systems that other machines may have too are known', () => {
    const types = [0x6969, 0xff534d42, 0xfe534d42, -11317950, 0x517b, 0x65735546, 0x01021997, 0x19830326];
    expect(types.map(sharedFileSystem)).toEqual(['NFS', 'SMB', 'SMB', 'SMB', 'SMB', 'FUSE', '9P', 'BeeGFS']);
    // ext4, tmpfs, overlay, XFS, Btrfs
    for (const type of [0xef53, 0x01021994, 0x794c7630, 0x58465342, 0x9123683e])
      expect(sharedFileSystem(type)).toBeUndefined();
  });
});
