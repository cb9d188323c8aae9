import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
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
import { AuditLog, type AuditCheckpoint, type AuditVerification } from '../../audit/index.js';
import { migrateAuditDatabase, openPgliteAuditStore, PostgresAuditStore } from '../../audit-postgres/index.js';
import { KilledWriters } from '../../audit-postgres/killed-writer.fixtures.js';
import { PostgresCluster, withPostgres } from '../../audit-postgres/postgres-cluster.fixtures.js';
import { putEmptyPglite } from '../../audit-postgres/prepared-pglite.fixtures.js';
import { runInProcess } from '../cli.fixtures.js';

const root = mkdtempSync(join(tmpdir(), 'maskinporten-audit-verify-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const file = (name: string, content: string): string => {
  const path = join(root, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
};
const pem = (key: KeyObject): string =>
  key.export({ type: key.type === 'private' ? 'pkcs8' : 'spki', format: 'pem' }).toString();
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
/** The key in use, and the one before it. */
const keyFile = file('key.pem', pem(generateKeyPairSync('ed25519').publicKey) + pem(publicKey));
const kept: AuditCheckpoint[] = [];

const write = async (log: AuditLog): Promise<void> => {
  for (let index = 0; index < 5; index += 1) await log.write({ kind: 'token', decision: 'obtained' });
  await log.close(600_000);
};
const options = { checkpointKey: privateKey, onCheckpoint: (checkpoint: AuditCheckpoint) => kept.push(checkpoint) };

describe('audit verify', () => {
  const folder = join(root, 'pglite');
  const verify = (...args: string[]) => runInProcess(['audit', 'verify', '--database', folder, ...args]);
  beforeAll(async () => {
    await putEmptyPglite(folder);
    await write(new AuditLog({ store: await openPgliteAuditStore({ folder, PGlite }), ...options }));
    const lines = kept.map(
      (checkpoint) => `2026 LOG ${JSON.stringify({ message: 'audit checkpoint', ...checkpoint })}`,
    );
    file('service.log', ['started', ...lines, '{"signature":'].join('\n'));
  });

  it('says that a log is what was written', async () => {
    const run = await verify('--checkpoint-key', keyFile, '--against', join(root, 'service.log'));
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toContain('7 records of 1 writers, 2 checkpoints');
    expect(run.stdout).toContain('The log is what was written.');
  });

  it('gives one JSON document, and takes the place of the log from the environment', async () => {
    const run = await runInProcess(['audit', 'verify', '--json'], { env: { AUDIT_DATA_DIR: folder } });
    expect(run).toMatchObject({ exitCode: 0, document: { records: 7, findingCount: 0, findings: [] } });
  });

  it('speaks Norwegian, and says when signatures were not looked at', async () => {
    const run = await verify('--lang', 'nb');
    expect(run.stdout).toContain('Loggen er det som ble skrevet.');
    expect(run.stdout).toContain('--checkpoint-key');
  });

  it('says what is wrong with the command line', async () => {
    const usage: [args: string[], text: RegExp][] = [
      [[], /Say where the log is/],
      [['--database', join(root, 'nowhere')], /holds no database/],
      [['--database', folder, '--checkpoint-key', join(root, 'none.pem')], /cannot be read/],
      [['--database', folder, '--checkpoint-key', file('no.pem', 'no key')], /cannot be read as PEM/],
      [['--database', folder, '--against', file('empty', 'nothing\n{}')], /holds no checkpoint/],
      [['--database', folder, '--signed-since', 'yesterday'], /must be a date/],
    ];
    for (const [args, text] of usage) {
      const run = await runInProcess(['audit', 'verify', ...args]);
      expect([args, run.exitCode, run.stderr]).toEqual([args, 2, expect.stringMatching(text)]);
    }
  });

  it('T-67: finds what was changed, and says where', async () => {
    const pglite = await PGlite.create(folder);
    await pglite.exec(
      `ALTER TABLE maskinporten_audit.records DISABLE TRIGGER USER;
       ALTER TABLE maskinporten_audit.checkpoints DISABLE TRIGGER USER;
       DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'maskinporten_audit.records'::regclass LOOP
         EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', t); END LOOP; END $$;
       UPDATE maskinporten_audit.records SET decision = 'refused' WHERE seq = 4;
       DELETE FROM maskinporten_audit.records WHERE seq > 5; DELETE FROM maskinporten_audit.checkpoints WHERE seq > 5`,
    );
    await pglite.close();
    const run = await verify('--checkpoint-key', keyFile, '--against', join(root, 'service.log'), '--json');
    expect(run.exitCode).toBe(1);
    const { findings } = run.document as AuditVerification;
    expect(findings.map(({ kind, seq }) => `${kind} ${seq}`)).toEqual(['altered 4', 'tail-cut 6']);
    const text = await verify('--checkpoint-key', keyFile);
    expect(text.stdout).toMatch(/altered {2}[\da-f-]{36} #4/);
  });

  describe('on a server', () => {
    withPostgres(() => {
      let cluster: PostgresCluster;
      beforeAll(async () => {
        cluster = await PostgresCluster.start();
      });
      afterAll(() => cluster?.remove());

      it('reads as the role that may insert and select, and says when there is no log or no server', async () => {
        const database = await cluster.createDatabase();
        const url = cluster.url(database, 'service');
        const without = await runInProcess(['audit', 'verify'], { env: { DATABASE_URL: url } });
        expect(without).toMatchObject({
          exitCode: 1,
          stderr: expect.stringContaining('There is no audit log') as unknown,
        });
        await migrateAuditDatabase({ connectionString: cluster.url(database, 'owner'), runningRole: 'service' });
        await write(new AuditLog({ store: new PostgresAuditStore({ connectionString: url }), ...options }));
        const run = await runInProcess(['audit', 'verify', '--checkpoint-key', keyFile], {
          env: { DATABASE_URL: url },
        });
        expect(run).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('7 records') as unknown });
        await cluster.stopServer('fast');
        const down = await runInProcess(['audit', 'verify', '--database', url]);
        expect(down).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('ECONNREFUSED') as unknown });
      });
    });
  });
});

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
    const urlFile = file('url', 'postgresql://nobody@127.0.0.1:1/none\n');
    const run = await runInProcess(['audit', 'verify'], {
      env: { DATABASE_URL_FILE: urlFile, AUDIT_DATA_DIR: directory },
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
