import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { AuditLog, verifyAuditLog, type AuditConflict, type AuditRecord, type AuditStore } from '../audit/index.js';
import { seal } from '../audit/chain.js';
import { PgliteBackend, PostgresBackend, type Backend } from './audit-backends.fixtures.js';
import { migrateAuditDatabase } from './migrate-audit-database.js';
import { openPgliteAuditStore } from './pglite-audit-store.js';
import { PostgresAuditStore } from './postgres-audit-store.js';
import { memoryPglite, putEmptyPglite } from './prepared-pglite.fixtures.js';
import { withPostgres } from './postgres-cluster.fixtures.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const checkpointKeys = [publicKey];
const intent = (log: AuditLog, requestId: string): Promise<void> =>
  log.write({ kind: 'call-intent', requestId, organisation: '310000027' }, { required: true });

async function listed(store: AuditStore): Promise<AuditRecord[]> {
  const list: AuditRecord[] = [];
  for await (const record of store.records()) list.push(record);
  return list;
}

/** What one with the running role's password can do. */
const insertion = ({ writer, seq, previous, hash, kind, at, earlierWriter }: AuditRecord): string =>
  `INSERT INTO maskinporten_audit.records (writer, seq, previous, hash, kind, at, caller, earlier_writer)
   VALUES ('${writer}', ${seq}, '${previous}', '${hash}', '${kind}', '${at}', 'forger',
     ${earlierWriter === undefined ? 'NULL' : `'${earlierWriter}'`})`;

/** The same on a server and in the embedded database. */
function keepsForgersOut(backend: () => Backend): void {
  let store: AuditStore;
  afterEach(() => store?.close());

  it('F-156: a record that was inserted on the chain of a live writer is reported, and found', async () => {
    store = await backend().reset();
    const conflicts: AuditConflict[] = [];
    const log = new AuditLog({ store, checkpointKey: privateKey, onConflict: (conflict) => conflicts.push(conflict) });
    await intent(log, 'r-1');
    const [, last] = (await listed(store)) as [AuditRecord, AuditRecord];
    const { writer, seq, hash: previous, at } = last;
    const forged = seal({ writer, seq: seq + 1, previous, kind: 'call-outcome', at, caller: 'forger' });
    await backend().asService(insertion(forged));
    await intent(log, 'r-2');
    expect(conflicts).toEqual([{ writer, seq, hash: last.hash }]);
    expect(log.status()).toMatchObject({ state: 'degraded', conflicts: 1 });
    await intent(log, 'r-3');
    const { findings } = await verifyAuditLog(store, { checkpointKeys });
    expect(findings.map((each) => [each.kind, each.writer, each.seq])).toEqual([['inserted', writer, seq + 1]]);
    const opened = (await listed(store)).find((record) => record.kind === 'opened' && record.writer !== writer);
    expect(opened).toMatchObject({ earlierWriter: writer, earlierSeq: seq, earlierHash: last.hash });
    await log.close();
  });

  it('F-154: the database refuses a second opening on one predecessor, and openings in a circle', async () => {
    store = await backend().reset();
    const log = new AuditLog({ store, lingerMs: 0 });
    await log.write({ kind: 'token' });
    const [opened] = (await listed(store)) as [AuditRecord];
    const fork = seal({ ...opened, writer: randomUUID() });
    await expect(backend().asService(insertion(fork))).rejects.toThrow(/another writer was opened in its place/);
    const circle = seal({ ...opened, seq: 3, earlierWriter: randomUUID() });
    await expect(backend().asService(insertion(circle))).rejects.toThrow(/not the first record of its writer/);
    expect((await verifyAuditLog(store)).findings).toEqual([]);
    await log.close();
  });
}

describe('a hostile database: PGlite', () => {
  let backend: PgliteBackend;
  beforeAll(async () => {
    backend = await PgliteBackend.start();
  });
  afterAll(() => backend?.close());
  keepsForgersOut(() => backend);
});

describe('a hostile database: PostgreSQL', () => {
  withPostgres(() => {
    let backend: PostgresBackend;
    beforeAll(async () => {
      backend = await PostgresBackend.start();
    });
    afterAll(() => backend?.close());
    keepsForgersOut(() => backend);

    /** With a default that the administrator has set for everybody. */
    async function withIsolation(level: string, test: () => Promise<void>): Promise<void> {
      await backend.asSuperuser(`ALTER ROLE service SET default_transaction_isolation = '${level}'`);
      try {
        await test();
      } finally {
        await backend.asSuperuser('ALTER ROLE service RESET default_transaction_isolation');
      }
    }

    it.each(['repeatable read', 'serializable'])(
      'F-154: honest replicas write one line although the default is %s',
      async (level) => {
        const store = await backend.reset();
        await withIsolation(level, async () => {
          const replicas = Array.from({ length: 6 }, () => backend.open());
          const logs = replicas.map((replica) => new AuditLog({ store: replica, checkpointKey: privateKey }));
          await Promise.all(logs.map((log, index) => intent(log, `r-${index}`)));
          await Promise.all(logs.map((log, index) => intent(log, `s-${index}`)));
          await Promise.all(logs.map((log) => log.close()));
          for (const log of logs) expect(log.status()).toMatchObject({ lost: 0, conflicts: 0 });
          const result = await verifyAuditLog(store, { checkpointKeys });
          expect(result).toMatchObject({ writers: 6, findingCount: 0 });
          expect((await listed(store)).filter(({ kind }) => kind === 'call-intent')).toHaveLength(12);
        });
        await store.close();
      },
    );

    it('F-154: a pool of the application with another level is refused, by the store and by the database', async () => {
      const store = await backend.reset();
      await withIsolation('repeatable read', async () => {
        const pool = new pg.Pool({ connectionString: backend.urlOfService, query_timeout: 10_000 });
        const other = new PostgresAuditStore({ pool });
        await expect(other.check()).rejects.toMatchObject({
          code: 'MP_CONFIG',
          failures: [{ field: 'audit.isolation' }],
        });
        const opened = seal({
          writer: randomUUID(),
          seq: 1,
          previous: '0'.repeat(64),
          kind: 'opened',
          at: '2026-01-01T00:00:00.000Z',
        });
        await expect(other.append([opened])).rejects.toMatchObject({ code: 'MP_CONFIG' });
        const { rows } = await pool.query<{ outcome: string }>(
          `SELECT maskinporten_audit.append('[]'::jsonb, NULL) AS outcome`,
        );
        expect(rows).toEqual([{ outcome: 'isolation' }]);
        await expect(pool.query(insertion(opened))).rejects.toThrow(/needs read committed/);
        await pool.end();
      });
      expect(await listed(store)).toEqual([]);
      await store.close();
    });

    it.each<[what: string, prepare: string[], undo: string[]]>([
      ['a superuser', ['ALTER ROLE service SUPERUSER'], ['ALTER ROLE service NOSUPERUSER']],
      ['a member of the owner', ['GRANT owner TO service'], ['REVOKE owner FROM service']],
      [
        'a member of the owner that does not inherit',
        ['ALTER ROLE service NOINHERIT', 'GRANT owner TO service'],
        ['REVOKE owner FROM service', 'ALTER ROLE service INHERIT'],
      ],
      [
        'a member of a member',
        ['CREATE ROLE between', 'GRANT owner TO between', 'GRANT between TO service'],
        ['DROP ROLE between'],
      ],
      [
        'one that may write all data',
        ['GRANT pg_write_all_data TO service'],
        ['REVOKE pg_write_all_data FROM service'],
      ],
      [
        'one that may update a column',
        ['GRANT UPDATE (caller) ON maskinporten_audit.records TO service'],
        ['REVOKE UPDATE (caller) ON maskinporten_audit.records FROM service'],
      ],
      [
        'one that may delete, as everybody',
        ['GRANT DELETE ON maskinporten_audit.checkpoints TO PUBLIC'],
        ['REVOKE DELETE ON maskinporten_audit.checkpoints FROM PUBLIC'],
      ],
      // Before PostgreSQL 16 it can make itself a member of the owner.
      ['one that may make roles', ['ALTER ROLE service CREATEROLE'], ['ALTER ROLE service NOCREATEROLE']],
      [
        'one that may have a trigger change what is inserted',
        ['GRANT TRIGGER ON maskinporten_audit.records TO service'],
        ['REVOKE TRIGGER ON maskinporten_audit.records FROM service'],
      ],
    ])('F-155: %s does not write the log', async (_what, prepare, undo) => {
      await (await backend.reset()).close();
      await backend.asSuperuser(...prepare);
      const store = backend.open();
      try {
        await expect(store.check()).rejects.toMatchObject({
          code: 'MP_CONFIG',
          failures: [
            { field: 'audit.runningRole', reason: expect.stringContaining('insert and select only') as unknown },
          ],
        });
        const log = new AuditLog({ store: backend.open() });
        await expect(intent(log, 'r-1')).rejects.toMatchObject({ code: 'MP_AUDIT' });
        expect(log.status()).toMatchObject({ state: 'degraded', lastErrorCode: 'MP_CONFIG' });
        // It would try again as long as it is open.
        await log.close(1);
        expect(await listed(store)).toEqual([]);
      } finally {
        await backend.asSuperuser(...undo);
      }
      // The same store, as soon as the role is what it has to be.
      await store.check();
      await store.close();
    });

    it('F-155: one who may do everything may read it', async () => {
      const store = await backend.reset();
      const log = new AuditLog({ store, lingerMs: 0 });
      await intent(log, 'r-1');
      await log.close();
      const reader = new PostgresAuditStore({ connectionString: backend.urlOfOwner });
      expect(await verifyAuditLog(reader)).toMatchObject({ records: 3, findingCount: 0 });
      await reader.close();
    });

    it('a log from before is brought up to date, with a fork that it has, and goes on', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'audit-migrations-'));
      copyFileSync(join(import.meta.dirname, 'migrations/0001_audit-log.sql'), join(folder, '0001_audit-log.sql'));
      await (await backend.reset()).close();
      await backend.asOwner('DROP SCHEMA maskinporten_audit CASCADE');
      await runner({
        databaseUrl: backend.urlOfOwner,
        dir: folder,
        direction: 'up',
        schema: 'maskinporten_audit',
        createSchema: true,
        migrationsTable: 'migrations',
        logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
      });
      rmSync(folder, { recursive: true });
      await backend.asOwner(
        'GRANT USAGE ON SCHEMA maskinporten_audit TO service',
        'GRANT SELECT, INSERT ON maskinporten_audit.records, maskinporten_audit.checkpoints TO service',
        'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA maskinporten_audit TO service',
      );
      // As the service of the version before, and a fork beside it.
      const before = backend.open();
      const log = new AuditLog({ store: before, checkpointKey: privateKey, lingerMs: 0 });
      await intent(log, 'r-1');
      const [opened] = (await listed(before)) as [AuditRecord];
      await backend.asService(insertion(seal({ ...opened, writer: randomUUID(), caller: 'forger' })));
      const made = await migrateAuditDatabase({ connectionString: backend.urlOfOwner, runningRole: 'service' });
      expect(made).toEqual(['0002_no-forks']);
      await intent(log, 'r-2');
      await log.close();
      const after = backend.open();
      const next = new AuditLog({ store: after, checkpointKey: privateKey, lingerMs: 0 });
      await intent(next, 'r-3');
      await next.close();
      const store = backend.open();
      const records = await listed(store);
      expect(records.flatMap(({ requestId = [] }) => requestId).toSorted()).toEqual(['r-1', 'r-2', 'r-3']);
      const { findings } = await verifyAuditLog(store);
      expect(findings.map(({ kind, seq }) => `${kind} ${seq}`)).toContain('inserted 1');
      await store.close();
    });
  });
});

describe('a log in a PGlite folder', () => {
  it('F-154: is written with read committed, whatever its default is', async () => {
    const pglite = await memoryPglite();
    await pglite.exec(`ALTER ROLE postgres SET default_transaction_isolation = 'serializable';
      SET default_transaction_isolation = 'serializable'`);
    const store = await openPgliteAuditStore(pglite);
    const log = new AuditLog({ store, lingerMs: 0 });
    await intent(log, 'r-1');
    await log.close();
    expect(log.status()).toMatchObject({ state: 'up', seq: 3 });
  }, 60_000);

  it('from before is brought up to date when it is opened', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'audit-pglite-before-'));
    const folder = join(parent, 'data');
    await putEmptyPglite(folder);
    const first = await openPgliteAuditStore({ folder, PGlite });
    const log = new AuditLog({ store: first, lingerMs: 0 });
    await intent(log, 'r-1');
    await log.close();
    // As the version before left it.
    const pglite = await PGlite.create(folder);
    await pglite.exec(
      `DROP TRIGGER refuse_fork ON maskinporten_audit.records; DROP FUNCTION maskinporten_audit.refuse_fork();
       DELETE FROM maskinporten_audit.migrations WHERE name = '0002_no-forks'`,
    );
    await pglite.close();
    const again = await openPgliteAuditStore({ folder, PGlite });
    const next = new AuditLog({ store: again, lingerMs: 0 });
    await intent(next, 'r-2');
    expect(await verifyAuditLog(again)).toMatchObject({ records: 5, findingCount: 0 });
    await next.close();
    rmSync(parent, { recursive: true });
  });
});
