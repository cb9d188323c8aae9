import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { INestApplication } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditLog, type AuditRecord, type AuditStore } from 'nestjs-maskinporten';
import { MemoryAuditStore } from '../libs/maskinporten/src/audit/memory-audit-store.fixtures.js';
import { OpeningAuditStore } from '../src/audit/index.js';
import { loadConfiguration } from '../src/config/index.js';
import { createApp } from '../src/create-app.js';
import { killChildren, ServiceProcess } from './support/child.js';
import {
  api,
  AUTHORIZATION,
  CLAIMS_RESOURCE,
  closeAll,
  CUSTOMER,
  makeDelegationBed,
  makeTestBed,
  SYSTEM_ID,
  type TestBed,
} from './support/service.js';

const CLAIMS = `/organisations/${CUSTOMER}/claims`;
interface Answer<Data> {
  readonly data: Data;
  readonly _meta: { readonly requestId: string };
}
const kindsOf = (records: readonly AuditRecord[]): string[] => records.map(({ kind }) => kind);
/** Calls on behalf of the customer that reached the API. */
const claimsAsked = ({ simulator }: TestBed): number =>
  simulator.log.filter(({ kind, path }) => kind === 'call' && path.startsWith('/kravogbetalinger/')).length;

/** Sent now, and answered later. */
const ask = (url: string, path: string): Promise<Response> => fetch(`${url}${path}`, { headers: AUTHORIZATION });

/** Where it listens. */
async function listening(service: ServiceProcess): Promise<string> {
  const [, port] = await service.says(/"message":"listening".*"port":(\d+)/);
  return `http://127.0.0.1:${port}`;
}

async function bedWithApproval(): Promise<TestBed> {
  const bed = await makeDelegationBed();
  bed.simulator.operator.systemUsers.addUnknown({ systemId: SYSTEM_ID, orgno: CUSTOMER, rights: [CLAIMS_RESOURCE] });
  return bed;
}

describe('a service whose audit log is still being opened', () => {
  afterEach(closeAll);

  const memory = { store: new MemoryAuditStore() };
  let app: INestApplication;
  /** Ends the opening: with the store, or with an error. */
  let gate: { readonly open: (store: AuditStore) => void; readonly fail: (error: Error) => void };

  async function serveOpening({ variables }: TestBed): Promise<string> {
    memory.store = new MemoryAuditStore();
    const auditStore = await OpeningAuditStore.open((signal, onSlow) => {
      onSlow();
      return new Promise<AuditStore>((open, fail) => {
        gate = { open, fail };
        signal.addEventListener('abort', () => fail(signal.reason as Error));
      });
    });
    app = await createApp({ ...(await loadConfiguration(variables)), auditStore });
    await app.listen(0, '127.0.0.1');
    return app.getUrl();
  }
  const log = (): AuditLog => app.get(AuditLog);

  it('lives, is not ready, and serves what does not need the log; its records are stored later', async () => {
    const url = await serveOpening(await makeTestBed());
    await api(url).get('/health/live').expect(200, { status: 'ok' });
    await api(url).get('/health/ready').expect(503, { status: 'waiting_for_audit_log' });
    expect((await api(url).get('/health').expect(200)).body).toMatchObject({
      details: { maskinporten: { status: 'degraded' } },
    });
    const { body } = await api(url).get('/broker/transfers').expect(200);
    expect(log().status()).toMatchObject({ state: 'opening', seq: 0, lost: 0 });
    const shown = ask(url, `/audit/${(body as Answer<unknown>)._meta.requestId}`);
    gate.open(memory.store);
    const { data } = (await (await shown).json()) as Answer<AuditRecord[]>;
    expect(kindsOf(data).toSorted()).toEqual(['call-intent', 'call-outcome', 'token']);
    await api(url).get('/health/ready').expect(200, { status: 'ok' });
    await app.close();
    expect(kindsOf(memory.store.stored)).toEqual(['opened', 'token', 'call-intent', 'call-outcome', 'closed']);
  });

  it('F-133: lets a call on behalf of a customer wait, and makes it when its intent is stored', async () => {
    const bed = await bedWithApproval();
    const url = await serveOpening(bed);
    const before = log().status().pending;
    const arrived = once(app.getHttpServer() as Server, 'request');
    const answer = ask(url, CLAIMS);
    await arrived;
    await turn();
    // Nothing of it has begun: its deadlines do not run while the database is made.
    expect([claimsAsked(bed), log().status().pending]).toEqual([0, before]);
    let asked = -1;
    memory.store.beforeAppend = () => {
      if (asked < 0) asked = claimsAsked(bed);
    };
    gate.open(memory.store);
    expect((await answer).status).toBe(200);
    expect([asked, claimsAsked(bed)]).toEqual([0, 1]);
    await app.close();
    const kinds = kindsOf(memory.store.stored);
    expect(kinds.slice(-3)).toEqual(['call-intent', 'call-outcome', 'closed']);
  });

  it('F-133: refuses that call when the log cannot be opened, and makes none', async () => {
    const bed = await bedWithApproval();
    const url = await serveOpening(bed);
    const arrived = once(app.getHttpServer() as Server, 'request');
    const answer = ask(url, CLAIMS);
    await arrived;
    gate.fail(Object.assign(new Error('full'), { code: 'ENOSPC' }));
    const response = await answer;
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ failures: [{ code: 'MP_AUDIT' }] });
    expect(claimsAsked(bed)).toBe(0);
    await app.close();
  });

  it('is closed in the middle without a wait when there is nothing to store', async () => {
    await serveOpening(await makeTestBed());
    await app.close();
    const { store } = log();
    expect(store).toMatchObject({ isClosed: true });
    await expect(store.opened).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('is closed in the middle when what happened is stored', async () => {
    const url = await serveOpening(await makeTestBed());
    await api(url).get('/broker/transfers').expect(200);
    const closed = app.close();
    await expect(fetch(`${url}/health/live`)).rejects.toThrow(/fetch failed/);
    gate.open(memory.store);
    await closed;
    expect(kindsOf(memory.store.stored)).toEqual(['opened', 'token', 'call-intent', 'call-outcome', 'closed']);
    expect(memory.store.closed).toBe(true);
  });
});

describe('the built service with an embedded database that is not there yet', () => {
  // One folder, whose database is made once: the tests follow each other.
  const folder = mkdtempSync(join(tmpdir(), 'audit-opening-'));
  const database = join(folder, 'database');
  let bed: TestBed;
  /** Its service asks nobody anything at start, so that there is nothing to store when it ends. */
  let quiet: TestBed;
  beforeAll(async () => {
    [bed, quiet] = await Promise.all([bedWithApproval(), makeTestBed()]);
    mkdirSync(database);
    for (const each of [folder, database]) chmodSync(each, 0o777);
  });
  afterAll(async () => {
    await closeAll();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(killChildren);

  const left = (): string[] => readdirSync(folder).filter((name) => name !== 'checkpoint-key.pem');
  const start = ({ variables }: TestBed): ServiceProcess =>
    ServiceProcess.start({ ...variables, LOG_LEVEL: 'log', AUDIT_DATA_DIR: folder });

  it('leaves nothing half made when it is ended meanwhile', async () => {
    const ended = start(quiet);
    await listening(ended);
    ended.signal('SIGTERM');
    expect(await ended.ended()).toBe(0);
    expect(left()).not.toContain('database.unfinished');
  });

  it('starts after kill -9 in the middle, answers while it is made, records a call that was made at once, and has it there at the next start', async () => {
    const killed = start(quiet);
    await listening(killed);
    killed.signal('SIGKILL');
    expect(await killed.ended()).toBe('SIGKILL');
    const service = start(bed);
    const url = await listening(service);
    const claims = ask(url, CLAIMS);
    expect((await ask(url, '/health/live')).status).toBe(200);
    expect((await claims).status).toBe(200);
    const { _meta: meta } = (await (await claims).json()) as Answer<unknown>;
    const kindsShown = async (from: string): Promise<string[]> => {
      const shown = await fetch(`${from}/audit/${meta.requestId}`, { headers: AUTHORIZATION });
      return kindsOf(((await shown.json()) as Answer<AuditRecord[]>).data);
    };
    expect(await kindsShown(url)).toContain('call-intent');
    expect(left()).not.toContain('database.unfinished');
    service.signal('SIGTERM');
    expect(await service.ended()).toBe(0);
    const again = start(bed);
    expect(await kindsShown(await listening(again))).toEqual(
      expect.arrayContaining(['delegation', 'call-intent', 'call-outcome']),
    );
    again.signal('SIGTERM');
    expect(await again.ended()).toBe(0);
  });

  it('F-157, T-80: a folder that was open to others is closed to them', () => {
    for (const each of [folder, database]) expect(statSync(each).mode & 0o777).toBe(0o700);
  });

  it('stops with a message when it cannot be made', async () => {
    const full = join(folder, 'full');
    // No file over 2 MiB: a full disk for those who may not make one.
    const program = `
      const { spawn } = require('node:child_process');
      const limited = spawn('sh', ['-c', 'ulimit -f 4096 && exec "$0" dist/main.js', process.execPath], { stdio: 'inherit' });
      limited.once('exit', (code) => process.exit(code));
    `;
    const service = ServiceProcess.start(
      { ...quiet.variables, LOG_LEVEL: 'log', AUDIT_DATA_DIR: full },
      ['--eval', program],
      join(import.meta.dirname, '..'),
    );
    await listening(service);
    expect(await service.ended()).toBe(1);
    expect(service.output).toMatch(/could not start.*\n\n +AUDIT_DATA_DIR +\S/);
    expect(readdirSync(full)).not.toContain('database.unfinished');
  });
});
