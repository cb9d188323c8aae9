import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  api,
  APP_RESOURCE,
  askedOf,
  CLAIMS_RESOURCE,
  closeAll,
  CUSTOMER,
  makeDelegationBed,
  makeTestBed,
  serve,
  SYSTEM_ID,
  type TestBed,
} from './support/service.js';

const PROBLEM = /^application\/problem\+json/;
/** Exists, and the caller of the tests may not act for it. */
const FOREIGN = '310000043';
const CLAIMS = `/organisations/${CUSTOMER}/claims`;
const INSTANCES = `/organisations/${CUSTOMER}/instances`;
const REQUESTS = `/organisations/${CUSTOMER}/system-user-requests`;

/** The denial, with the code that the caller acts on and a sentence for the customer. */
const denied = async (test: request.Test, status: number, code: string): Promise<Record<string, unknown>> => {
  const { body } = await test.expect('content-type', PROBLEM);
  expect(body).toMatchObject({ status, code, hint: { en: expect.any(String), nb: expect.any(String) } });
  return body as Record<string, unknown>;
};

describe.each<[string, () => AbstractHttpAdapter]>([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('acting for a customer on %s', (_name, makeAdapter) => {
  let bed: TestBed;
  let url: string;

  beforeEach(async () => {
    bed = await makeDelegationBed();
    ({ url } = await serve(bed.variables, makeAdapter()));
  });
  afterEach(closeAll);

  const approved = (rights: readonly string[] = [CLAIMS_RESOURCE, APP_RESOURCE], orgno = CUSTOMER): void => {
    bed.simulator.operator.systemUsers.addUnknown({ systemId: SYSTEM_ID, orgno, rights: [...rights] });
  };
  const tokensOfCalls = (): unknown[] =>
    bed.simulator.log.filter(({ server, kind }) => server === 'api' && kind === 'call').map(({ path }) => path);

  it('reads the claims of the customer with a token of its system user', async () => {
    approved();
    const { body } = await api(url).get(CLAIMS).expect(200);
    expect(body).toMatchObject({ data: { organisasjonsnummer: CUSTOMER, aapnekrav: [{ valuta: 'NOK' }, {}] } });
    const prefixed = await api(url).get(`/organisations/0192:${CUSTOMER}/claims`).expect(200);
    expect((prefixed.body as { data: unknown }).data).toEqual((body as { data: unknown }).data);
  });

  it('creates, fills and submits an instance of the app with an exchanged token', async () => {
    approved();
    const { body } = await api(url)
      .post(INSTANCES)
      .send({ prefill: { year: '2026' }, data: { turnover: 17 } })
      .expect(201);
    expect(body).toMatchObject({ data: { id: expect.stringMatching(/^\d+\/[\da-f-]{36}$/), submitted: true } });
    const { id } = (body as { data: { id: string } }).data;
    const paths = bed.simulator.log
      .filter(({ server, path }) => server === 'api' && path.startsWith('/ttd/'))
      .map(({ method, path, status }) => `${method} ${path.replace(/data\/.*/, 'data/…')} ${status}`);
    expect(paths).toEqual([
      'POST /ttd/returns/instances/create 201',
      `PUT /ttd/returns/instances/${id}/data/… 200`,
      `PUT /ttd/returns/instances/${id}/process/next 200`,
      `PUT /ttd/returns/instances/${id}/process/next 200`,
    ]);
  });

  it('submits an empty form too, and names what is wrong in a body', async () => {
    approved();
    await api(url).post(INSTANCES).send({}).expect(201);
    const { body } = await api(url).post(INSTANCES).send({ prefill: [], data: 'canary', more: 1 }).expect(400);
    const { failures } = body as { failures: { field: string }[] };
    expect(failures.map(({ field }) => field).toSorted()).toEqual(['data', 'more', 'prefill']);
    expect(JSON.stringify(body)).not.toContain('canary');
  });

  it('asks nobody anything about an organisation that the caller may not act for, or without a key', async () => {
    approved(undefined, FOREIGN);
    bed.simulator.operator.clearLog();
    for (const test of [
      api(url).get(`/organisations/${FOREIGN}/claims`),
      api(url).post(`/organisations/${FOREIGN}/instances`).send({}),
      api(url).post(`/organisations/${FOREIGN}/system-user-requests`),
      api(url).get(`/organisations/${FOREIGN}/system-user-requests/00000000-0000-4000-8000-000000000000`),
    ]) {
      expect(await denied(test, 403, 'caller_not_allowed')).not.toHaveProperty('organisation');
    }
    for (const path of [CLAIMS, `/organisations/${FOREIGN}/claims`, '/organisations/nonsense/claims']) {
      await request(url).get(path).expect(401);
    }
    await request(url).post(REQUESTS).expect(401);
    expect(askedOf(bed.simulator)).toEqual([]);
  });

  it('refuses what is no organisation number', async () => {
    bed.simulator.operator.clearLog();
    for (const number of ['310000028', 'nonsense', '31000002']) {
      await denied(api(url).get(`/organisations/${number}/claims`), 400, 'organisation_number_invalid');
      await denied(api(url).post(`/organisations/${number}/system-user-requests`), 400, 'organisation_number_invalid');
    }
    expect(askedOf(bed.simulator)).toEqual([]);
  });

  it('leads from a missing system user over the request to the first answer, at any pace', async () => {
    await denied(api(url).get(CLAIMS), 403, 'system_user_missing');
    const { body } = await api(url).post(REQUESTS).expect(201);
    const { data } = body as { data: { id: string; confirmUrl: string } };
    expect(data).toEqual({
      id: expect.any(String),
      status: 'New',
      organisation: CUSTOMER,
      confirmUrl: expect.stringContaining(data.id),
    });
    // Asking twice is one request.
    expect((await api(url).post(REQUESTS).expect(201)).body).toMatchObject({ data });
    expect(await denied(api(url).get(CLAIMS), 403, 'system_user_request_pending')).toMatchObject({
      confirmUrl: data.confirmUrl,
    });
    bed.simulator.operator.approve(data.id);
    const followed = await api(url).get(`${REQUESTS}/${data.id}`).expect(200);
    expect(followed.body).toMatchObject({ data: { id: data.id, status: 'Accepted' } });
    await api(url).get(CLAIMS).expect(200);
    await api(url).post(INSTANCES).send({}).expect(201);
    bed.simulator.operator.revokeRight(data.id, CLAIMS_RESOURCE);
    await denied(api(url).get(CLAIMS), 403, 'right_missing');
    // The other right is still there.
    await api(url).post(INSTANCES).send({}).expect(201);
    const again = await api(url).post(REQUESTS).expect(409).expect('content-type', PROBLEM);
    expect(again.body).toMatchObject({ code: 'CONFLICT' });
  });

  it('says that the customer has rejected', async () => {
    const { body } = await api(url).post(REQUESTS).expect(201);
    const { id } = (body as { data: { id: string } }).data;
    bed.simulator.operator.reject(id);
    const followed = await api(url).get(`${REQUESTS}/${id}`).expect(200);
    expect(followed.body).toMatchObject({ data: { status: 'Rejected' } });
    await denied(api(url).get(CLAIMS), 403, 'system_user_request_rejected');
  });

  it('does not show the request of another organisation', async () => {
    const { operator } = bed.simulator;
    operator.requests.addUnknown({
      id: '11111111-1111-4111-8111-111111111111',
      systemId: SYSTEM_ID,
      orgno: FOREIGN,
      rights: [CLAIMS_RESOURCE],
    });
    const foreign = await api(url).get(`${REQUESTS}/11111111-1111-4111-8111-111111111111`).expect(404);
    const none = await api(url).get(`${REQUESTS}/22222222-2222-4222-8222-222222222222`).expect(404);
    expect({ ...(foreign.body as object), _meta: null }).toEqual({ ...(none.body as object), _meta: null });
    await api(url).get(`${REQUESTS}/nonsense`).expect(400).expect('content-type', PROBLEM);
  });

  it('tells a missing right from a missing system user', async () => {
    approved([CLAIMS_RESOURCE]);
    await denied(api(url).post(INSTANCES).send({}), 403, 'right_missing');
    await api(url).get(CLAIMS).expect(200);
    expect(tokensOfCalls().every((path) => !String(path).startsWith('/ttd/'))).toBe(true);
  });

  it('is unknown, and not a no, while Altinn is down', async () => {
    approved();
    const { faults } = bed.simulator.operator;
    for (const path of ['/authentication/api/v1/*', '/authorization/api/v1/*']) {
      faults.add({ path, server: 'platform', status: 503 });
      const { headers } = await api(url).get(CLAIMS).expect(503).expect('content-type', PROBLEM);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      await denied(api(url).post(INSTANCES).send({}), 503, 'delegation_unknown');
      faults.clear();
    }
    expect(tokensOfCalls()).toEqual([]);
  });

  it('is our own fault when the PDP may not be asked with our token', async () => {
    approved();
    bed.simulator.operator.ungranted.add({ orgno: '310000019', scope: 'altinn:authorization/authorize' });
    const body = await denied(api(url).get(CLAIMS), 500, 'system_user_misconfigured');
    expect(body).not.toHaveProperty('confirmUrl');
  });
});

describe('the service without a system in Altinn', () => {
  afterEach(closeAll);

  it('has no routes for customers', async () => {
    const { url } = await serve((await makeTestBed()).variables);
    const [claims, requests] = [await api(url).get(CLAIMS), await api(url).post(REQUESTS)];
    expect([claims.status, requests.status]).toEqual([404, 404]);
  });
});

describe('the description at /docs', () => {
  afterEach(closeAll);

  it('holds every route with its key and its problems', async () => {
    const { url } = await serve((await makeDelegationBed()).variables);
    await request(url).get('/docs').expect(200).expect('content-type', /html/);
    const { body } = await request(url).get('/docs-json').expect(200);
    const { paths, components } = body as {
      paths: Record<string, Record<string, { security?: unknown; responses: Record<string, { content?: object }> }>>;
      components: { schemas: object; securitySchemes: object };
    };
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        '/broker/transfers',
        '/organisations/{orgno}/claims',
        '/organisations/{orgno}/instances',
        '/organisations/{orgno}/system-user-requests',
        '/organisations/{orgno}/system-user-requests/{id}',
        '/health',
        '/metrics',
      ]),
    );
    expect(components).toMatchObject({
      securitySchemes: { 'api-key': { type: 'http', scheme: 'bearer' } },
      schemas: { Problem: { type: 'object' }, NewInstance: { properties: { prefill: {}, data: {} } }, NewTransfer: {} },
    });
    for (const [path, operations] of Object.entries(paths)) {
      for (const { security, responses } of Object.values(operations)) {
        const open = /^\/(health|metrics)/.test(path);
        expect(security).toEqual(open ? undefined : [{ 'api-key': [] }]);
        const problems = Object.keys(responses['401']?.content ?? {});
        expect(problems).toEqual(open ? [] : ['application/problem+json']);
      }
    }
  });
});
