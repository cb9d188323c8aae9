import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AuditLog, verifyAuditLog, type AuditStore } from '../audit/index.js';
import { isMaskinportenError } from '../errors/index.js';
import { PostgresBackend } from './audit-backends.fixtures.js';
import { KilledWriters } from './killed-writer.fixtures.js';
import { migrateAuditDatabase } from './migrate-audit-database.js';
import { openPgliteAuditStore } from './pglite-audit-store.js';
import { PostgresAuditStore } from './postgres-audit-store.js';
import { withPostgres } from './postgres-cluster.fixtures.js';
import { SmallDisk } from './small-disk.fixtures.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const checkpointKeys = [publicKey];

/** Every acknowledged intent once, with the decision before it, in a log that is what was written. */
async function expectAll(store: AuditStore, acknowledged: readonly string[]): Promise<void> {
  const intents = new Map<string, number>();
  const decided = new Set<string>();
  for await (const { kind, requestId = '' } of store.records()) {
    if (kind === 'delegation') decided.add(requestId);
    if (kind !== 'call-intent') continue;
    intents.set(requestId, (intents.get(requestId) ?? 0) + 1);
    if (!decided.has(requestId)) throw new Error('an intent is stored before the decision that it follows from');
  }
  expect(acknowledged.filter((requestId) => intents.get(requestId) !== 1)).toEqual([]);
  expect([...intents.values()].filter((count) => count !== 1)).toEqual([]);
  expect((await verifyAuditLog(store, { checkpointKeys })).findings).toEqual([]);
}

/** Requests side by side until it is stopped; what a request was told counts. */
class Load {
  static readonly #started = new Set<Load>();
  readonly acknowledged: string[] = [];
  readonly otherErrors: unknown[] = [];
  refused = 0;
  #isOver = false;
  readonly #running: Promise<unknown>;
  readonly #log: AuditLog;

  constructor(log: AuditLog, requests: number) {
    this.#log = log;
    this.#running = Promise.all(Array.from({ length: requests }, () => this.#serve(log)));
    Load.#started.add(this);
  }

  /** Ends what a test that failed has left running. */
  static async end(): Promise<void> {
    for (const load of Load.#started) {
      await load.stop();
      await load.#log.close(100);
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    Load.#started.delete(this);
    await this.#running;
  }

  /** Resolves when so many more were acknowledged, or refused. */
  async until(what: 'acknowledged' | 'refused', more: number): Promise<void> {
    const count = (): number => (what === 'refused' ? this.refused : this.acknowledged.length);
    const target = count() + more;
    while (count() < target) await pause(5);
  }

  async #serve(log: AuditLog): Promise<void> {
    while (!this.#isOver) {
      const requestId = randomUUID();
      log.record({ kind: 'delegation', requestId, decision: 'allowed' });
      try {
        await log.write({ kind: 'call-intent', requestId, organisation: '310000027' }, { required: true });
        this.acknowledged.push(requestId);
        log.record({ kind: 'call-outcome', requestId, status: 200 });
      } catch (error) {
        this.refused += 1;
        if (!isMaskinportenError(error, 'MP_AUDIT')) this.otherErrors.push(error);
        await pause(50);
      }
    }
  }
}

describe('what was acknowledged in PostgreSQL', () => {
  withPostgres(() => {
    let backend: PostgresBackend;
    let store: PostgresAuditStore;
    beforeAll(async () => {
      backend = await PostgresBackend.start();
    }, 60_000);
    afterAll(() => backend?.close());
    beforeEach(async () => {
      store = await backend.reset();
    });
    afterEach(async () => {
      await Load.end();
      await store.close();
    });

    it('is there after the database was stopped, and after it crashed, under load; nothing is there twice', async () => {
      const log = new AuditLog({ store: backend.open(1_000), checkpointKey: privateKey, lingerMs: 1 });
      const load = new Load(log, 20);
      for (const mode of ['fast', 'immediate', 'immediate'] as const) {
        await load.until('acknowledged', 200);
        await backend.cluster.stopServer(mode);
        await load.until('refused', 20);
        await backend.cluster.startServer();
        await load.until('acknowledged', 50);
      }
      await load.stop();
      await log.close();
      expect(load.otherErrors).toEqual([]);
      expect(log.status()).toMatchObject({ state: 'up', pending: 0, lost: 0 });
      await expectAll(store, load.acknowledged);
    }, 60_000);

    it('is there when the connections are cut while they commit', async () => {
      const log = new AuditLog({ store: backend.open(1_000), checkpointKey: privateKey, lingerMs: 1 });
      const load = new Load(log, 20);
      for (let cut = 0; cut < 20; cut += 1) {
        await load.until('acknowledged', 20);
        await backend.asSuperuser(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'maskinporten-audit'`,
        );
      }
      await load.stop();
      await log.close();
      expect(load.otherErrors).toEqual([]);
      await expectAll(store, load.acknowledged);
    }, 60_000);

    it('is there after kill -9 of the writer at 52 random moments', async () => {
      const writers = new KilledWriters(privateKeyPem);
      for (let round = 0; round < 13; round += 1) {
        const counts = Array.from({ length: 4 }, () => Math.floor(Math.random() * 120));
        await Promise.all(counts.map((count) => writers.killAfter(count, backend.urlOfService)));
      }
      expect(writers.kills).toBeGreaterThanOrEqual(50);
      expect(writers.acknowledged.length).toBeGreaterThan(500);
      await expectAll(store, writers.acknowledged);
      rmSync(writers.folder, { recursive: true });
    }, 240_000);

    it('T-67: a full disk refuses what is required, loses nothing, and is over when there is room again', async () => {
      const disk = SmallDisk.mount(40);
      try {
        const database = await databaseOn(backend, disk);
        const full = new PostgresAuditStore({ connectionString: backend.cluster.url(database, 'service') });
        const log = new AuditLog({ store: full, checkpointKey: privateKey, lingerMs: 1 });
        const load = new Load(log, 5);
        await load.until('acknowledged', 50);
        await fill(backend, database, disk);
        await load.until('refused', 20);
        expect(log.status()).toMatchObject({ state: 'degraded', lastErrorCode: '53100' });
        await makeRoom(backend, database, disk);
        await load.until('acknowledged', 50);
        await load.stop();
        await log.close();
        expect(load.otherErrors).toEqual([]);
        expect(log.status()).toMatchObject({ lost: 0 });
        const reader = new PostgresAuditStore({ connectionString: backend.cluster.url(database, 'service') });
        await expectAll(reader, load.acknowledged);
        await reader.close();
        await backend.cluster.asSuperuser('postgres', `DROP DATABASE ${database} WITH (FORCE)`);
        if (disk !== undefined) await backend.cluster.asSuperuser('postgres', 'DROP TABLESPACE small');
      } finally {
        disk?.unmount();
      }
    }, 60_000);
  });
});

async function databaseOn({ cluster }: PostgresBackend, disk: SmallDisk | undefined): Promise<string> {
  if (disk !== undefined) await cluster.asSuperuser('postgres', `CREATE TABLESPACE small LOCATION '${disk.folder}'`);
  const database = await cluster.createDatabase(disk === undefined ? undefined : 'small');
  await migrateAuditDatabase({ connectionString: cluster.url(database, 'owner'), runningRole: 'service' });
  return database;
}

/** Fills the disk with something else; where none can be mounted, the database says what it says when one is full. */
async function fill({ cluster }: PostgresBackend, database: string, disk: SmallDisk | undefined): Promise<void> {
  if (disk !== undefined) return disk.fill();
  await cluster.asSuperuser(
    database,
    `CREATE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'; END $$`,
    'CREATE TRIGGER is_full BEFORE INSERT ON maskinporten_audit.records FOR EACH STATEMENT EXECUTE FUNCTION is_full()',
  );
}

async function makeRoom({ cluster }: PostgresBackend, database: string, disk: SmallDisk | undefined): Promise<void> {
  if (disk !== undefined) return disk.makeRoom();
  await cluster.asSuperuser(database, 'DROP TRIGGER is_full ON maskinporten_audit.records');
}

describe('what was acknowledged in PGlite', () => {
  it('is there after kill -9 at three random moments', async () => {
    const writers = new KilledWriters(privateKeyPem);
    const data = join(writers.folder, 'data');
    for (let kill = 0; kill < 3; kill += 1) {
      await writers.killAfter(Math.floor(Math.random() * 60) + 2, data);
    }
    const store = await openPgliteAuditStore({ folder: data, PGlite });
    expect(writers.acknowledged.length).toBeGreaterThan(3);
    await expectAll(store, writers.acknowledged);
    await store.close();
    rmSync(writers.folder, { recursive: true });
  }, 240_000);
});
