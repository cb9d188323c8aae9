import { generateKeyPairSync } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { verifyAuditLog, type AuditRecord, type AuditStore } from 'nestjs-maskinporten';
import { openPgliteAuditStore, PostgresAuditStore } from 'nestjs-maskinporten/audit-postgres';
import { PostgresCluster, withPostgres } from '../libs/maskinporten/src/audit-postgres/postgres-cluster.fixtures.js';
import { putEmptyPglite } from '../libs/maskinporten/src/audit-postgres/prepared-pglite.fixtures.js';
import { killChildren, ServiceProcess } from './support/child.js';
import { AUTHORIZATION, CLAIMS_RESOURCE, closeAll, CUSTOMER, makeDelegationBed, SYSTEM_ID } from './support/service.js';
import { sized } from './support/size.js';

const CALLERS = 8;
/** How often it is killed: twice where the second start finds files that a kill left. */
const KILLS = sized({ test: { pglite: 2, postgres: 1 }, soak: { pglite: 12, postgres: 20 } });
const folder = mkdtempSync(join(tmpdir(), 'audit-kill-'));
const keyFile = join(folder, 'checkpoint-key.pem');
const key = generateKeyPairSync('ed25519').privateKey;

beforeAll(() => {
  writeFileSync(keyFile, key.export({ type: 'pkcs8', format: 'pem' }));
});
afterEach(async () => {
  killChildren();
  await closeAll();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Seen {
  /** Requests that were answered 200. */
  readonly answered: string[];
  /** Requests whose records the service itself has shown, with their hashes. */
  readonly shown: Map<string, readonly string[]>;
  readonly heard: EventEmitter;
}

/** Calls on behalf of the customer, one after the other, until the service is gone. */
async function useUntilKilled(url: string, seen: Seen): Promise<void> {
  try {
    for (;;) {
      const answer = await fetch(`${url}/organisations/${CUSTOMER}/claims`, { headers: AUTHORIZATION });
      const { _meta: meta } = (await answer.json()) as { _meta: { requestId: string } };
      if (answer.status !== 200) continue;
      seen.answered.push(meta.requestId);
      seen.heard.emit('answer');
      if (seen.answered.length % 5 !== 0) continue;
      const audit = await fetch(`${url}/audit/${meta.requestId}`, { headers: AUTHORIZATION });
      const { data } = (await audit.json()) as { data: AuditRecord[] };
      if (audit.status === 200)
        seen.shown.set(
          meta.requestId,
          data.map(({ hash }) => hash),
        );
    }
  } catch {
    // The connection ended with the process.
  }
}

/**
 * Kills the service under load, `rounds` times on one log. What it guarantees: no call on behalf of somebody reaches an
 * API, and none is answered 200, unless its intent is stored; what was shown once stays; the chain is whole. Outcomes
 * are written after the answer, so a kill may take the last of them, and leaves an intent without one.
 */
async function expectNoLossWhenKilled(
  rounds: number,
  variables: Record<string, string>,
  openStore: () => Promise<AuditStore>,
): Promise<void> {
  const bed = await makeDelegationBed();
  bed.simulator.operator.systemUsers.addUnknown({ systemId: SYSTEM_ID, orgno: CUSTOMER, rights: [CLAIMS_RESOURCE] });
  const seen: Seen = { answered: [], shown: new Map(), heard: new EventEmitter() };
  for (let round = 0; round < rounds; round += 1) {
    const service = ServiceProcess.start({
      ...bed.variables,
      LOG_LEVEL: 'log',
      AUDIT_CHECKPOINT_KEY_FILE: keyFile,
      ...variables,
    });
    const [, port] = await service.says(/"port":(\d+)/);
    const load = Array.from({ length: CALLERS }, async () => useUntilKilled(`http://127.0.0.1:${port}`, seen));
    const enough = seen.answered.length + 20 + Math.floor(Math.random() * 60);
    while (seen.answered.length < enough) await once(seen.heard, 'answer');
    service.signal('SIGKILL');
    await Promise.all(load);
    expect(await service.ended()).toBe('SIGKILL');
  }
  const store = await openStore();
  try {
    const records: AuditRecord[] = [];
    for await (const record of store.records()) records.push(record);
    const intents = records.filter(({ kind }) => kind === 'call-intent');
    const intended = new Set(intents.map(({ requestId }) => requestId));
    expect(seen.answered.filter((id) => !intended.has(id))).toEqual([]);
    // The API has seen no call that is not in the log.
    const reached = bed.simulator.log.filter(({ server, kind }) => server === 'api' && kind === 'call');
    expect(reached.length).toBeGreaterThanOrEqual(seen.answered.length);
    expect(intents.length).toBeGreaterThanOrEqual(reached.length);
    const hashes = new Set(records.map(({ hash }) => hash));
    expect(seen.shown.size).toBeGreaterThan(0);
    for (const shown of seen.shown.values()) for (const hash of shown) expect(hashes).toContain(hash);
    const calls = new Set(intents.map(({ callId }) => callId));
    const outcomes = records.filter(({ kind, jti }) => kind === 'call-outcome' && jti !== undefined);
    expect(outcomes.filter(({ callId }) => !calls.has(callId))).toEqual([]);
    expect(outcomes.length).toBeGreaterThan(0);
    expect(new Set(records.map(({ writer }) => writer)).size).toBe(rounds);
    // Killed before its first checkpoint, a writer has none; its records are still a chain.
    const { findings } = await verifyAuditLog(store);
    expect(findings).toEqual([]);
    for await (const checkpoint of store.checkpoints()) expect(checkpoint.keyId).toMatch(/^[\da-f]{16}$/);
  } finally {
    await store.close();
  }
}

describe('T-67, F-133: kill -9 of the service under load loses nothing that was acknowledged', () => {
  it('on PGlite', async () => {
    const directory = join(folder, 'pglite');
    mkdirSync(directory, { mode: 0o700 });
    await putEmptyPglite(join(directory, 'database'));
    await expectNoLossWhenKilled(KILLS.pglite, { AUDIT_DATA_DIR: directory }, async () =>
      openPgliteAuditStore({ folder: join(directory, 'database'), PGlite }),
    );
  });
});

withPostgres(() => {
  describe('T-67, F-133: kill -9 of the service under load, with PostgreSQL', () => {
    let cluster: PostgresCluster;
    beforeAll(async () => {
      cluster = await PostgresCluster.start({ isDurable: true });
    });
    afterAll(async () => cluster?.remove());

    it('loses nothing that was acknowledged', async () => {
      const name = await cluster.createLog();
      const database = {
        DATABASE_URL: cluster.url(name, 'service'),
        DATABASE_MIGRATION_URL: cluster.url(name, 'owner'),
      };
      await expectNoLossWhenKilled(KILLS.postgres, database, () =>
        Promise.resolve(new PostgresAuditStore({ connectionString: cluster.url(name, 'owner') })),
      );
    });
  });
});
