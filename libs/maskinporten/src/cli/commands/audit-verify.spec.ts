import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditLog, type AuditCheckpoint, type AuditVerification } from '../../audit/index.js';
import { migrateAuditDatabase, openPgliteAuditStore, PostgresAuditStore } from '../../audit-postgres/index.js';
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
      [['--database', folder, '--checkpoint-key', file('no.pem', 'no key')], /no PEM/],
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
