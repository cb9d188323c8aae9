import { createHash, generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditLog } from '../../audit/index.js';
import { openPgliteAuditStore } from '../../audit-postgres/index.js';
import { KilledWriters } from '../../audit-postgres/killed-writer.fixtures.js';
import { putEmptyPglite } from '../../audit-postgres/prepared-pglite.fixtures.js';
import { runInProcess } from '../cli.fixtures.js';

const { privateKey } = generateKeyPairSync('ed25519');
const root = mkdtempSync(join(tmpdir(), 'audit-verify-folder-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Name, time and content of everything in a folder. */
function stateOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((name) => {
      const path = join(folder, name);
      const stats = lstatSync(path);
      const content = stats.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
      return `${name} ${stats.mtimeMs} ${stats.size} ${content}`;
    });
}
const copiesLeft = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('audit-copy-'));

describe('audit verify of a folder', () => {
  /** As `AUDIT_DATA_DIR`: the database is in a folder of it. */
  const directory = join(root, 'audit');
  const folder = join(directory, 'database');
  const open = async (): Promise<AuditLog> =>
    new AuditLog({ store: await openPgliteAuditStore({ folder, PGlite }), checkpointKey: privateKey, lingerMs: 0 });
  const verify = (where = folder) => runInProcess(['audit', 'verify', '--database', where, '--json']);
  beforeAll(async () => {
    mkdirSync(directory);
    await putEmptyPglite(folder);
    const log = await open();
    await log.write({ kind: 'token', decision: 'obtained' });
    await log.close();
  });

  it('F-152: a log that is in use is refused, with exit code 2 and the lock, and nothing in it is touched', async () => {
    const log = await open();
    await log.write({ kind: 'token', decision: 'obtained' });
    const before = stateOf(folder);
    for (const where of [folder, directory]) {
      const run = await runInProcess(['audit', 'verify', '--database', where]);
      expect(run).toMatchObject({ exitCode: 2, stdout: '' });
      expect(run.stderr).toMatch(/The log is in use \(.*\/database\/in-use\.\d+\)/);
    }
    expect((await runInProcess(['audit', 'verify', '--database', folder, '--lang', 'nb'])).stderr).toContain(
      'Loggen er i bruk',
    );
    expect(stateOf(folder)).toEqual(before);
    await log.write({ kind: 'token', decision: 'refused' });
    await log.close();
  });

  it('F-152: what was acknowledged is there after verifications of a running log and kill -9', async () => {
    const writers = new KilledWriters(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    const data = join(writers.folder, 'data');
    await putEmptyPglite(data);
    const acknowledged = await writers.killAfter(30, data, async () => {
      expect(await verify(data)).toMatchObject({ exitCode: 2 });
    });
    const run = await verify(data);
    expect(run).toMatchObject({ exitCode: 0, document: { findingCount: 0 } });
    // A killed log is recovered in the copy; the log itself is as the kill left it, and the next start recovers it.
    const store = await openPgliteAuditStore({ folder: data, PGlite });
    const stored = new Set<string>();
    for await (const { kind, requestId = '' } of store.records()) if (kind === 'call-intent') stored.add(requestId);
    expect(acknowledged.filter((requestId) => !stored.has(requestId))).toEqual([]);
    await store.close();
    rmSync(writers.folder, { recursive: true });
  });

  it('F-152: a log that is not in use is read from a copy, which is removed; nothing is written into it', async () => {
    const before = stateOf(directory);
    const copies = copiesLeft();
    const run = await verify();
    expect(run).toMatchObject({ exitCode: 0, document: { findingCount: 0 } });
    expect(stateOf(directory)).toEqual(before);
    expect(copiesLeft()).toEqual(copies);
  });

  it('takes the folder that the service takes: AUDIT_DATA_DIR, with the database in it', async () => {
    const run = await runInProcess(['audit', 'verify', '--json'], { env: { AUDIT_DATA_DIR: directory } });
    expect(run).toMatchObject({ exitCode: 0, document: { findingCount: 0 } });
    const relative = await runInProcess(['audit', 'verify'], { env: { AUDIT_DATA_DIR: 'audit' }, cwd: root });
    expect(relative).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('not installed') as unknown });
  });

  it('takes DATABASE_URL_FILE before AUDIT_DATA_DIR, as the service does', async () => {
    const file = join(root, 'url');
    writeFileSync(file, 'postgresql://nobody@127.0.0.1:1/none\n');
    const run = await runInProcess(['audit', 'verify'], {
      env: { DATABASE_URL_FILE: file, AUDIT_DATA_DIR: directory },
    });
    expect(run).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('ECONNREFUSED') as unknown });
  });

  it('follows links, so that nothing of the copy is the log itself', async () => {
    const linked = join(root, 'linked');
    mkdirSync(linked, { mode: 0o700 });
    symlinkSync(folder, join(linked, 'database'));
    const before = stateOf(folder);
    expect(await verify(linked)).toMatchObject({ exitCode: 0 });
    expect(stateOf(folder)).toEqual(before);
  });

  it('F-152: reads a log on a disk that cannot be written', async () => {
    // Root may write all the same; nothing is written then either.
    chmodSync(folder, 0o500);
    const before = stateOf(folder);
    expect(await verify()).toMatchObject({ exitCode: 0 });
    expect(stateOf(folder)).toEqual(before);
    chmodSync(folder, 0o700);
  });
});
