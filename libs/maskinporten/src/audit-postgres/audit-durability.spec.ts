import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sized } from '../../../../test/support/size.js';
import { AuditLog, verifyAuditLog, type AuditStatus, type AuditStore } from '../audit/index.js';
import { isMaskinportenError } from '../errors/index.js';
import { PostgresBackend } from './audit-backends.fixtures.js';
import { KilledWriters } from './killed-writer.fixtures.js';
import { openPgliteAuditStore } from './pglite-audit-store.js';
import { PostgresAuditStore } from './postgres-audit-store.js';
import { putEmptyPglite } from './prepared-pglite.fixtures.js';
import { withPostgres } from './postgres-cluster.fixtures.js';
import { SmallDisk } from './small-disk.fixtures.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const checkpointKeys = [publicKey];

/** For what takes as long as the machine needs, in milliseconds. */
const PATIENCE_MS = 600_000;

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

/** Requests side by side until it is stopped; the answer that a request got counts. */
class Load {
  static readonly #started = new Set<Load>();
  readonly acknowledged: string[] = [];
  readonly otherErrors: unknown[] = [];
  refused = 0;
  #isOver = false;
  readonly #log: AuditLog;
  readonly #running: Promise<unknown>;
  readonly #heard = new EventEmitter().setMaxListeners(0);

  constructor(store: AuditStore, requests: number) {
    this.#log = new AuditLog({
      store,
      checkpointKey: privateKey,
      lingerMs: 1,
      deadlineMs: 60_000,
      onState: () => this.#heard.emit('state'),
    });
    this.#running = Promise.all(Array.from({ length: requests }, () => this.#serve()));
    Load.#started.add(this);
  }

  /** Ends what a test that failed has left running. */
  static async end(): Promise<void> {
    for (const load of Load.#started) {
      const stopped = load.#stop();
      await load.#log.close(100);
      await stopped;
    }
  }

  status(): AuditStatus {
    return this.#log.status();
  }

  /** Ends the requests and closes the log: the state it was in before. */
  async finish(): Promise<AuditStatus> {
    await this.#stop();
    await this.#log.close(PATIENCE_MS);
    return this.#log.status();
  }

  async #stop(): Promise<void> {
    this.#isOver = true;
    this.#heard.emit('state');
    Load.#started.delete(this);
    await this.#running;
  }

  /** Resolves when so many more were acknowledged, or refused; a request that was refused waits until the log is up. */
  async until(what: 'acknowledged' | 'refused', more: number): Promise<void> {
    const count = (): number => (what === 'refused' ? this.refused : this.acknowledged.length);
    const target = count() + more;
    while (count() < target) await once(this.#heard, 'answer');
  }

  async #serve(): Promise<void> {
    while (!this.#isOver) {
      const requestId = randomUUID();
      this.#log.record({ kind: 'delegation', requestId, decision: 'allowed' });
      try {
        await this.#log.write({ kind: 'call-intent', requestId, organisation: '310000027' }, { required: true });
        this.acknowledged.push(requestId);
        this.#log.record({ kind: 'call-outcome', requestId, status: 200 });
        this.#heard.emit('answer');
      } catch (error) {
        this.refused += 1;
        if (!isMaskinportenError(error, 'MP_AUDIT')) this.otherErrors.push(error);
        this.#heard.emit('answer');
        while (!this.#isOver && this.status().state !== 'up') await once(this.#heard, 'state');
      }
    }
  }
}

const REQUESTS = 20;
/** The server stops in order, and as in a crash. */
const STOPS = sized({
  test: ['fast', 'immediate'] as const,
  soak: ['fast', ...Array.from({ length: 10 }, () => 'immediate' as const)] as const,
});
const CUTS = sized({ test: 5, soak: 50 });
const anyCount = (): number => Math.floor(Math.random() * 120);
/**
 * After how many acknowledged records a writer is killed: rounds of writers side by side. At once, in its first batches,
 * and about its checkpoints, which are made every 20 records; those of the second round find killed ones before them.
 */
const KILLS = sized({
  test: [
    [0, 19],
    [1, 47],
  ],
  soak: Array.from({ length: 13 }, () => Array.from({ length: 4 }, anyCount)),
});
const PGLITE_KILLS = sized({ test: [1, 25], soak: Array.from({ length: 12 }, anyCount) });

let writers: KilledWriters;
beforeAll(() => {
  writers = new KilledWriters(privateKeyPem);
});
afterAll(() => rmSync(writers.folder, { recursive: true }));

describe('what was acknowledged in PostgreSQL', () => {
  withPostgres(() => {
    let backend: PostgresBackend;
    let store: PostgresAuditStore;
    beforeAll(async () => {
      backend = await PostgresBackend.start({ isDurable: true });
    });
    afterAll(() => backend?.close());
    beforeEach(async () => {
      store = await backend.reset();
    });
    afterEach(async () => {
      await Load.end();
      await store.close();
    });

    it('is there after the database was stopped, and after it crashed, under load; nothing is there twice', async () => {
      const load = new Load(backend.open(PATIENCE_MS), REQUESTS);
      for (const mode of STOPS) {
        await load.until('acknowledged', 100);
        const refused = load.until('refused', REQUESTS);
        await backend.cluster.stopServer(mode);
        await refused;
        await backend.cluster.startServer();
        await load.until('acknowledged', 50);
      }
      expect(await load.finish()).toMatchObject({ state: 'up', pending: 0, lost: 0 });
      expect(load.otherErrors).toEqual([]);
      await expectAll(store, load.acknowledged);
    });

    it('is there when the connections are cut while they commit', async () => {
      const load = new Load(backend.open(PATIENCE_MS), REQUESTS);
      for (let cut = 0; cut < CUTS; cut += 1) {
        await load.until('acknowledged', REQUESTS);
        await backend.asSuperuser(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'maskinporten-audit'`,
        );
      }
      await load.finish();
      expect(load.otherErrors).toEqual([]);
      await expectAll(store, load.acknowledged);
    });

    it(`is there after kill -9 of the writer at ${KILLS.flat().length} moments`, async () => {
      const acknowledged: string[] = [];
      for (const round of KILLS) {
        const each = await Promise.all(round.map((count) => writers.killAfter(count, backend.urlOfService)));
        acknowledged.push(...each.flat());
      }
      expect(acknowledged.length).toBeGreaterThanOrEqual(KILLS.flat().reduce((sum, count) => sum + count, 0));
      await expectAll(store, acknowledged);
    });

    it('T-67: a full disk refuses what is required, loses nothing, and is over when there is room again', async () => {
      const disk = SmallDisk.mount(40);
      try {
        const database = await databaseOn(backend, disk);
        const url = backend.cluster.url(database, 'service');
        const load = new Load(new PostgresAuditStore({ connectionString: url, timeoutMs: PATIENCE_MS }), 5);
        await load.until('acknowledged', 50);
        const refused = load.until('refused', 5);
        await fill(backend, database, disk);
        await refused;
        expect(load.status()).toMatchObject({ state: 'degraded', lastErrorCode: '53100' });
        await makeRoom(backend, database, disk);
        await load.until('acknowledged', 50);
        expect(await load.finish()).toMatchObject({ lost: 0 });
        expect(load.otherErrors).toEqual([]);
        const reader = new PostgresAuditStore({ connectionString: url });
        await expectAll(reader, load.acknowledged);
        await reader.close();
        await backend.cluster.dropDatabase(database);
        if (disk !== undefined) await backend.cluster.asSuperuser('postgres', 'DROP TABLESPACE small');
      } finally {
        disk?.unmount();
      }
    });
  });
});

async function databaseOn({ cluster }: PostgresBackend, disk: SmallDisk | undefined): Promise<string> {
  if (disk === undefined) return cluster.createLog();
  await cluster.asSuperuser('postgres', `CREATE TABLESPACE small LOCATION '${disk.folder}'`);
  return cluster.createLog('small');
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
  it(`is there after kill -9 at ${PGLITE_KILLS.length} moments`, async () => {
    const data = join(writers.folder, 'data');
    await putEmptyPglite(data);
    const acknowledged: string[] = [];
    for (const count of PGLITE_KILLS) acknowledged.push(...(await writers.killAfter(count, data)));
    const store = await openPgliteAuditStore({ folder: data, PGlite });
    expect(acknowledged.length).toBeGreaterThanOrEqual(PGLITE_KILLS.reduce((sum, count) => sum + count, 0));
    await expectAll(store, acknowledged);
    await store.close();
  });
});
