import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { INestApplication } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditRecord } from 'nestjs-maskinporten';
import { openPgliteAuditStore } from 'nestjs-maskinporten/audit-postgres';
import request from 'supertest';
import { PostgresCluster, withPostgres } from '../libs/maskinporten/src/audit-postgres/postgres-cluster.fixtures.js';
import { putEmptyPglite } from '../libs/maskinporten/src/audit-postgres/prepared-pglite.fixtures.js';
import {
  API_KEY,
  api,
  APP_RESOURCE,
  CLAIMS_RESOURCE,
  closeAll,
  CUSTOMER,
  makeDelegationBed,
  serve,
  sha256,
  SYSTEM_ID,
  type EnvironmentVariables,
  type TestBed,
} from './support/service.js';
import { sized } from './support/size.js';

const PROBLEM = /^application\/problem\+json/;
/** May act for the same customer. */
const COLLEAGUE = 'key-of-a-colleague';
/** May act for somebody else. */
const STRANGER = 'key-of-a-stranger';
const OTHER_CUSTOMER = '310000043';
const CLAIMS = `/organisations/${CUSTOMER}/claims`;

const as = (key: string): { authorization: string } => ({ authorization: `Bearer ${key}` });
const today = (): string => new Date().toISOString().slice(0, 10);

interface Answer<Data> {
  readonly data: Data;
  readonly _meta: { readonly requestId: string; readonly downstream: { readonly tokenJti: string }[] };
}
interface Page {
  readonly records: AuditRecord[];
  readonly next?: string;
}

async function makeAuditBed(): Promise<TestBed> {
  const bed = await makeDelegationBed();
  bed.simulator.operator.systemUsers.addUnknown({
    systemId: SYSTEM_ID,
    orgno: CUSTOMER,
    rights: [CLAIMS_RESOURCE, APP_RESOURCE],
  });
  const callers = [
    { name: 'tests', sha256: sha256(API_KEY), organisations: [CUSTOMER] },
    { name: 'colleague', sha256: sha256(COLLEAGUE), organisations: [CUSTOMER, OTHER_CUSTOMER] },
    { name: 'stranger', sha256: sha256(STRANGER), organisations: [OTHER_CUSTOMER] },
  ];
  const variables = { ...bed.variables, API_KEYS: JSON.stringify(callers), RULEBOOK_VERSION: '2026.2' };
  return { ...bed, variables };
}

/** All services of this file use it; each has a database of its own. */
let bed: TestBed;
beforeAll(async () => {
  bed = await makeAuditBed();
});
afterAll(closeAll);

/** Calls that reached the API. */
const reached = (): number =>
  bed.simulator.log.filter(({ server, kind }) => server === 'api' && kind === 'call').length;

const services: INestApplication[] = [];

async function start(database: EnvironmentVariables, adapter?: AbstractHttpAdapter): ReturnType<typeof serve> {
  const service = await serve({ ...bed.variables, ...database }, adapter);
  services.push(service.app);
  return service;
}

const endServices = async (): Promise<void> => {
  for (const app of services.splice(0)) await app.close();
};

type Adapters = [string, () => AbstractHttpAdapter][];
const EXPRESS: Adapters = [['Express', () => new ExpressAdapter()]];
const FASTIFY: Adapters = [['Fastify', () => new FastifyAdapter()]];
/** Each adapter and each database once; in the soak all four pairs. */
const ADAPTERS = sized({
  test: { pglite: EXPRESS, postgres: FASTIFY },
  soak: { pglite: [...EXPRESS, ...FASTIFY], postgres: [...EXPRESS, ...FASTIFY] },
});

const idOf = ({ body }: { readonly body: unknown }): string => (body as Answer<unknown>)._meta.requestId;

/** The same suite for every kind of database. */
function auditRoutes(makeAdapter: () => AbstractHttpAdapter, database: () => Promise<EnvironmentVariables>): void {
  let url: string;

  beforeAll(async () => {
    ({ url } = await start(await database(), makeAdapter()));
  });
  afterAll(endServices);

  const recordsOf = async (requestId: string, key = API_KEY): Promise<AuditRecord[]> => {
    const { body } = await request(url).get(`/audit/${requestId}`).set(as(key)).expect(200);
    return (body as Answer<AuditRecord[]>).data;
  };

  it('show the token, the decision, the intent and the outcome of a request that has just been made', async () => {
    const answer = await api(url).get(CLAIMS).expect(200);
    const records = await recordsOf(idOf(answer));
    expect(records.map(({ kind }) => kind).toSorted()).toEqual(['call-intent', 'call-outcome', 'delegation', 'token']);
    const of = (kind: string): AuditRecord | undefined => records.find((record) => record.kind === kind);
    const jti = (answer.body as Answer<unknown>)._meta.downstream[0]?.tokenJti;
    const common = { requestId: idOf(answer), caller: 'tests', organisation: CUSTOMER, rulebookVersion: '2026.2' };
    expect(of('delegation')).toMatchObject({
      ...common,
      decision: 'allowed',
      resource: CLAIMS_RESOURCE,
      action: 'read',
    });
    expect(of('call-intent')).toMatchObject({
      ...common,
      method: 'GET',
      pathTemplate: '/kravogbetalinger/v1/regnskapssystem/{id}/aapnekrav',
      scopes: ['skatteetaten:kravogbetalinger'],
      jti,
    });
    expect(of('call-outcome')).toMatchObject({ ...common, status: 200, callId: of('call-intent')?.callId, jti });
    // The token may serve others too, so it belongs to nobody's request.
    expect(of('token')).toMatchObject({ decision: 'obtained', organisation: CUSTOMER, jti });
    expect(of('token')).not.toHaveProperty('requestId');
  });

  it('show a refusal and a failure as they were', async () => {
    const denied = await api(url).get(`/organisations/${OTHER_CUSTOMER}/claims`).expect(403);
    const records = await recordsOf(idOf(denied));
    expect(records).toMatchObject([
      { kind: 'delegation', decision: 'caller_not_allowed', organisation: OTHER_CUSTOMER, caller: 'tests' },
    ]);
    bed.simulator.operator.faults.add({ path: '/kravogbetalinger/*', status: 500, times: 1 });
    const failed = await api(url).get(CLAIMS).expect(502);
    expect((await recordsOf(idOf(failed))).at(-1)).toMatchObject({ kind: 'call-outcome', status: 500 });
  });

  it('are for the caller of a request, and for who may act for everybody in it', async () => {
    const own = idOf(await api(url).get(CLAIMS).expect(200));
    expect(await recordsOf(own, COLLEAGUE)).toEqual(await recordsOf(own));
    const plain = idOf(await api(url).get('/broker/transfers').expect(200));
    await recordsOf(plain);
    const theirs = idOf(await request(url).get('/broker/transfers').set(as(STRANGER)).expect(200));
    const none = '00000000-0000-4000-8000-000000000000';
    const refused: [id: string, key: string][] = [
      [own, STRANGER],
      // About nobody: only its caller's.
      [plain, COLLEAGUE],
      [theirs, API_KEY],
      [none, API_KEY],
    ];
    const bodies: unknown[] = [];
    for (const [id, key] of refused) {
      const { body } = await request(url).get(`/audit/${id}`).set(as(key)).expect(404).expect('content-type', PROBLEM);
      bodies.push({ ...(body as object), _meta: undefined });
    }
    // Nobody learns whether there is such a request.
    for (const body of bodies) expect(body).toEqual(bodies[0]);
    await api(url).get('/audit/nonsense').expect(400).expect('content-type', PROBLEM);
    await request(url).get(`/audit/${own}`).expect(401);
    await request(url).get(`/audit?organisation=${CUSTOMER}&day=${today()}`).expect(401);
  });

  it('list what was done for an organisation on a day, page by page, each record once', async () => {
    for (let call = 0; call < 3; call += 1) await api(url).get(CLAIMS).expect(200);
    const query = `/audit?organisation=0192:${CUSTOMER}&day=${today()}`;
    const whole = (await api(url).get(query).expect(200)).body as Answer<Page>;
    expect(whole.data).not.toHaveProperty('next');
    expect(whole.data.records.length).toBeGreaterThanOrEqual(9);
    expect(new Set(whole.data.records.map(({ organisation }) => organisation))).toEqual(new Set([CUSTOMER]));
    const pages: AuditRecord[] = [];
    let next: string | undefined = '';
    while (next !== undefined) {
      const after: string = next === '' ? '' : `&after=${next}`;
      const { data } = (await api(url).get(`${query}&limit=4${after}`).expect(200)).body as Answer<Page>;
      expect(data.records.length).toBeLessThanOrEqual(4);
      pages.push(...data.records);
      ({ next } = data);
    }
    expect(pages).toEqual(whole.data.records);
    const before = `/audit?organisation=${CUSTOMER}&day=2020-02-29`;
    expect(((await api(url).get(before).expect(200)).body as Answer<Page>).data).toEqual({ records: [] });
  });

  it('list them as CSV for who asks for it, with the id of the answer in its header alone', async () => {
    const query = `/audit?organisation=${CUSTOMER}&day=${today()}`;
    const { body } = await api(url).get(`${query}&limit=2`).expect(200);
    const [first] = (body as Answer<Page>).data.records;
    for (const test of [
      api(url).get(`${query}&limit=2`).set('accept', 'text/csv'),
      api(url).get(`${query}&limit=2&format=csv`).set('accept', 'application/json'),
    ]) {
      const { text, headers } = await test.expect(200).expect('content-type', /^text\/csv; ?charset=utf-8/i);
      const lines = text.split('\r\n');
      expect(lines).toHaveLength(4);
      expect(lines[0]).toMatch(/^writer,seq,previous,kind,at,requestId,/);
      expect(lines[1]?.startsWith(`${first?.writer},${first?.seq},${first?.previous},`)).toBe(true);
      expect(lines[1]?.endsWith(`,${first?.hash}`)).toBe(true);
      expect(headers).toMatchObject({
        'x-request-id': expect.stringMatching(/^[\da-f-]{36}$/),
        'content-disposition': `attachment; filename="audit-${CUSTOMER}-${today()}.csv"`,
        'cache-control': 'no-store',
      });
      expect(text).not.toContain('_meta');
      const [, following = ''] = /^<([^>]+)>; rel="next"$/.exec(headers['link'] ?? '') ?? [];
      const more = await api(url)
        .get(following)
        .expect(200)
        .expect('content-type', /^text\/csv/);
      expect(more.text.split('\r\n')[1]).not.toBe(lines[1]);
    }
  });

  it('refuse what is wrong in a question, and whose organisation it is not', async () => {
    const wrong: [query: string, status: number, code: string][] = [
      [`organisation=${OTHER_CUSTOMER}&day=${today()}`, 403, 'caller_not_allowed'],
      [`organisation=310000028&day=${today()}`, 400, 'organisation_number_invalid'],
      [`organisation=${CUSTOMER}`, 400, 'INVALID_REQUEST'],
      [`organisation=${CUSTOMER}&organisation=${OTHER_CUSTOMER}&day=${today()}`, 400, 'INVALID_REQUEST'],
      [`organisation=${CUSTOMER}&day=2026-02-31`, 400, 'BAD_REQUEST'],
      [`organisation=${CUSTOMER}&day=${today()}&after=bm9uc2Vuc2U`, 400, 'BAD_REQUEST'],
      [`organisation=${CUSTOMER}&day=${today()}&limit=1001`, 400, 'INVALID_REQUEST'],
      [`organisation=${CUSTOMER}&day=${today()}&format=xml`, 400, 'INVALID_REQUEST'],
    ];
    for (const [query, status, code] of wrong) {
      const { body } = await api(url).get(`/audit?${query}`).expect(status).expect('content-type', PROBLEM);
      expect(body).toMatchObject({ code });
    }
  });

  it('T-69: are up in the details of /health, which only known callers see', async () => {
    const { body } = await api(url).get('/health').expect(200);
    expect(body).toMatchObject({
      details: { maskinporten: { contributors: { audit: { status: 'up', details: { lost: 0 } } } } },
    });
    expect(JSON.stringify((await request(url).get('/health').expect(200)).body)).not.toContain('audit');
  });

  it('are described at /docs-json, CSV too', async () => {
    const { body } = await request(url).get('/docs-json').expect(200);
    const { paths } = body as { paths: Record<string, { get: { responses: object; parameters: { name: string }[] } }> };
    const search = paths['/audit']?.get;
    expect(search?.responses).toMatchObject({
      200: { content: { 'application/json': { schema: { required: ['data', '_meta'] } }, 'text/csv': {} } },
    });
    expect(search?.parameters.map(({ name }) => name)).toEqual(['organisation', 'day', 'after', 'limit', 'format']);
    expect(paths['/audit/{requestId}']?.get.responses).toHaveProperty('401');
  });
}

describe.each(ADAPTERS.pglite)('the routes of the audit log, on PGlite and %s', (_name, makeAdapter) => {
  const folder = mkdtempSync(join(tmpdir(), 'audit-e2e-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  auditRoutes(makeAdapter, async () => {
    await putEmptyPglite(join(folder, 'database'));
    return { AUDIT_DATA_DIR: folder };
  });
});

withPostgres(() => {
  describe('on PostgreSQL', () => {
    let cluster: PostgresCluster;

    const databaseOf = async (): Promise<EnvironmentVariables> => {
      const name = await cluster.createLog();
      return { DATABASE_URL: cluster.url(name, 'service'), DATABASE_MIGRATION_URL: cluster.url(name, 'owner') };
    };
    beforeAll(async () => {
      cluster = await PostgresCluster.start();
    });
    afterAll(async () => cluster?.remove());

    describe.each(ADAPTERS.postgres)('the routes of the audit log on %s', (_name, makeAdapter) => {
      auditRoutes(makeAdapter, databaseOf);
    });

    describe('a service', () => {
      afterEach(endServices);

      it('F-133: without the database calls on behalf of others are refused before they are made, and others go on', async () => {
        const { url } = await start(await databaseOf());
        await api(url).get(CLAIMS).expect(200);
        await api(url).get('/broker/transfers').expect(200);
        const before = reached();
        const lost = (await api(url).get(CLAIMS).expect(200)).body as Answer<unknown>;
        expect(reached()).toBe(before + 1);
        await cluster.stopServer('immediate');
        const { body, headers } = await api(url).get(CLAIMS).expect(503).expect('content-type', PROBLEM);
        expect(body).toMatchObject({
          code: 'SERVER_ERROR',
          failures: [{ field: 'audit', code: 'MP_AUDIT' }],
          _meta: { downstream: [{ errorCode: 'MP_AUDIT', onBehalfOf: CUSTOMER }] },
        });
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
        expect(reached()).toBe(before + 1);
        await api(url).get('/broker/transfers').expect(200);
        expect(JSON.stringify((await api(url).get('/health').expect(200)).body)).toContain(
          '"audit":{"status":"degraded"',
        );
        await request(url).get('/health/ready').expect(200);
        const unread = await api(url).get(`/audit/${lost._meta.requestId}`).expect(503).expect('content-type', PROBLEM);
        expect(unread.body).toMatchObject({ failures: [{ field: 'audit', code: 'MP_AUDIT' }] });
        await cluster.startServer();
        let status = 0;
        while (status !== 200) ({ status } = await api(url).get(CLAIMS));
        // What was acknowledged before is there, and what plain calls did meanwhile has been stored since.
        const records = (await api(url).get(`/audit/${lost._meta.requestId}`).expect(200)).body as Answer<
          AuditRecord[]
        >;
        expect(records.data.map(({ kind }) => kind)).toContain('call-intent');
        expect(JSON.stringify((await api(url).get('/health').expect(200)).body)).toContain('"audit":{"status":"up"');
      });

      it('F-133: a service that starts without the database serves what needs no audit log', async () => {
        const database = await databaseOf();
        await cluster.stopServer('fast');
        try {
          const { url } = await start(database);
          await api(url).get('/broker/transfers').expect(200);
          const { body } = await api(url).get(CLAIMS).expect(503);
          expect(body).toMatchObject({ failures: [{ code: 'MP_AUDIT' }] });
        } finally {
          await cluster.startServer();
        }
      });

      it('the end of the service stores what waits, and says that it was in order', async () => {
        const database = await databaseOf();
        const { app, url } = await start(database);
        const answers = await Promise.all(Array.from({ length: 10 }, async () => api(url).get(CLAIMS).expect(200)));
        await app.close();
        const name = new URL(database['DATABASE_URL'] ?? '').pathname.slice(1);
        const rows = await cluster.asService(
          name,
          'SELECT kind, request_id FROM maskinporten_audit.records ORDER BY seq',
        );
        expect(rows.at(0)).toMatchObject({ kind: 'opened' });
        expect(rows.at(-1)).toMatchObject({ kind: 'closed' });
        for (const answer of answers) {
          const kinds = rows.filter(({ request_id: id }) => id === idOf(answer)).map(({ kind }) => String(kind));
          expect(kinds.toSorted()).toEqual(['call-intent', 'call-outcome', 'delegation']);
        }
      });

      it.each<[string, (name: string) => EnvironmentVariables, RegExp]>([
        [
          'no tables',
          (name) => ({ DATABASE_URL: cluster.url(name, 'service') }),
          /DATABASE_URL names a database without the tables/,
        ],
        [
          'no such database',
          () => ({ DATABASE_URL: cluster.url('nowhere', 'service') }),
          /DATABASE_URL names a database that does not exist/,
        ],
        [
          'an owner that runs the service',
          (name) => ({ DATABASE_URL: cluster.url(name, 'owner'), DATABASE_MIGRATION_URL: cluster.url(name, 'owner') }),
          /DATABASE_MIGRATION_URL must be another role/,
        ],
        [
          'F-155: a superuser that runs the service',
          (name) => ({
            DATABASE_URL: cluster.url(name, 'postgres'),
            DATABASE_MIGRATION_URL: cluster.url(name, 'owner'),
          }),
          /DATABASE_MIGRATION_URL must be another role/,
        ],
        [
          'an owner that may not make tables',
          (name) => ({
            DATABASE_URL: cluster.url(name, 'owner'),
            DATABASE_MIGRATION_URL: cluster.url(name, 'service'),
          }),
          /DATABASE_MIGRATION_URL names a role that may not/,
        ],
      ])('a start with %s says what to do', async (_what, variables, said) => {
        await expect(start(variables(await cluster.createDatabase()))).rejects.toThrow(said);
      });

      it.each(['postgres', 'owner'] as const)(
        'F-155: a start as %s, on tables that are there, is refused',
        async (user) => {
          const name = await cluster.createLog();
          await expect(start({ DATABASE_URL: cluster.url(name, user) })).rejects.toThrow(
            /DATABASE_URL names a role that can change what it has written/,
          );
          expect(await cluster.asOwner(name, 'SELECT FROM maskinporten_audit.records')).toEqual([]);
        },
      );
    });
  });
});

describe('a start with', () => {
  const folder = mkdtempSync(join(tmpdir(), 'audit-start-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(endServices);

  it.each<[string, EnvironmentVariables, RegExp]>([
    ['an address that is none', { DATABASE_URL: 'mysql://canary' }, /DATABASE_URL must be postgresql/],
    [
      'two addresses',
      { DATABASE_URL: 'postgresql://a/b', DATABASE_URL_FILE: '/a' },
      /DATABASE_URL_FILE is set besides/,
    ],
    ['a file that is not there', { DATABASE_URL_FILE: '/nowhere/url' }, /DATABASE_URL_FILE names a file that cannot/],
    [
      'a folder that cannot be made',
      { AUDIT_DATA_DIR: 'package.json/audit' },
      /AUDIT_DATA_DIR names a folder that cannot be written/,
    ],
    [
      'a key that is not there',
      { AUDIT_CHECKPOINT_KEY_FILE: '/nowhere/key' },
      /AUDIT_CHECKPOINT_KEY_FILE names a file/,
    ],
    [
      'a key of another kind',
      { AUDIT_CHECKPOINT_KEY_FILE: 'package.json' },
      /AUDIT_CHECKPOINT_KEY_FILE must name an Ed25519/,
    ],
    ['rules without a name', { RULEBOOK_VERSION: 'a b' }, /RULEBOOK_VERSION must be/],
    [
      'a log that forgets, in production',
      { AUDIT_DATA_DIR: 'memory://', NODE_ENV: 'production' },
      /AUDIT_DATA_DIR is memory/,
    ],
  ])('%s says which setting is wrong, and no value', async (_what, variables, said) => {
    const started = start(variables);
    await expect(started).rejects.toThrow(said);
    await expect(started).rejects.not.toThrow(/canary/);
  });

  it('F-153: a folder that another service has names the lock, and the folder is free when that one ends', async () => {
    const database = { AUDIT_DATA_DIR: join(folder, 'shared') };
    mkdirSync(database.AUDIT_DATA_DIR);
    await putEmptyPglite(join(folder, 'shared/database'));
    const other = await openPgliteAuditStore({ folder: join(folder, 'shared/database'), PGlite });
    const lock = join(folder, 'shared/database/in-use.1');
    await expect(start(database)).rejects.toThrow(`AUDIT_DATA_DIR is in use: another process holds ${lock}`);
    await other.close();
    const { app, url } = await start(database);
    await api(url).get(CLAIMS).expect(200);
    await app.close();
    // What the first start wrote is there after the second.
    const again = await start(database);
    const { body } = await api(again.url).get(`/audit?organisation=${CUSTOMER}&day=${today()}`).expect(200);
    expect((body as Answer<Page>).data.records.map(({ kind }) => kind)).toContain('call-intent');
  });
});
