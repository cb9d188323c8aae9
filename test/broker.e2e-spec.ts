import { randomUUID } from 'node:crypto';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { api, askedOf, closeAll, CUSTOMER, makeTestBed, serve, type TestBed } from './support/service.js';

const PROBLEM = /^application\/problem\+json/;
const newTransfer = {
  resourceId: 'my-broker-resource',
  fileName: 'report.xml',
  sendersReference: 'ref-1',
  sender: '310000027',
  recipients: ['0192:310000019'],
};

describe.each<[string, () => AbstractHttpAdapter]>([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('the service on %s', (_name, makeAdapter) => {
  let bed: TestBed;
  let url: string;

  beforeAll(async () => {
    bed = await makeTestBed();
    ({ url } = await serve(bed.variables, makeAdapter()));
  });
  afterAll(closeAll);
  afterEach(() => bed.simulator.operator.faults.clear());

  const calls = (): readonly { readonly claims?: Readonly<Record<string, unknown>>; readonly status?: number }[] =>
    bed.simulator.log.filter(({ kind }) => kind === 'call');

  it('reads with a token of the read scope and writes with a token of the write scope', async () => {
    bed.simulator.operator.clearLog();
    const read = await api(url).get('/broker/transfers?resourceId=my-broker-resource').expect(200);
    expect(read.body).toMatchObject({ data: { items: [] } });
    await api(url).post('/broker/transfers').send(newTransfer).expect(201);
    expect(calls().map(({ claims, status }) => [claims?.['scope'], status])).toEqual([
      ['altinn:broker.read', 200],
      ['altinn:broker.write', 201],
    ]);
  });

  it('sends the organisation numbers in the form that Broker expects', async () => {
    const { body } = await api(url).post('/broker/transfers').send(newTransfer).expect(201);
    expect(body).toMatchObject({
      data: {
        received: {
          body: {
            resourceId: 'my-broker-resource',
            sendersFileTransferReference: 'ref-1',
            sender: '0192:310000027',
            recipients: ['0192:310000019'],
          },
        },
      },
    });
  });

  it('sends for nobody that the caller may not act for, and asks nobody', async () => {
    bed.simulator.operator.clearLog();
    for (const sender of ['310000019', '0192:310000019', '310000043']) {
      const { body } = await api(url)
        .post('/broker/transfers')
        .send({ ...newTransfer, sender, recipients: [CUSTOMER] })
        .expect(403)
        .expect('content-type', PROBLEM);
      expect(body).toMatchObject({ code: 'caller_not_allowed' });
    }
    expect(askedOf(bed.simulator)).toEqual([]);
  });

  it('lists the transfers that an organisation of the caller sends or receives, and no other', async () => {
    const [sent, received, foreign, unreadable] = Array.from({ length: 4 }, () => randomUUID());
    const answers: Record<string, string | Record<string, unknown>> = {
      '': JSON.stringify([sent, received, foreign, unreadable]),
      [`/${sent}`]: { fileTransferId: sent, sender: `0192:${CUSTOMER}`, recipients: [{ recipient: '0192:310000019' }] },
      [`/${received}`]: { fileTransferId: received, sender: '310000019', recipients: [{ recipient: CUSTOMER }] },
      [`/${foreign}`]: { fileTransferId: foreign, sender: '310000019', recipients: [{ recipient: '310000043' }] },
      [`/${unreadable}`]: { fileTransferId: unreadable },
    };
    for (const [path, body] of Object.entries(answers)) {
      bed.simulator.operator.faults.add({ path: `/broker/api/v1/filetransfer${path}`, status: 200, body });
    }
    const { body } = await api(url).get('/broker/transfers').expect(200);
    const { data } = body as { data: { items: { fileTransferId: string }[] } };
    expect(data.items.map(({ fileTransferId }) => fileTransferId)).toEqual([sent, received]);
    expect(JSON.stringify(data)).not.toMatch(/310000043/);
  });

  it('takes nothing but ids from the list', async () => {
    bed.simulator.operator.faults.add({
      path: '/broker/api/v1/filetransfer',
      status: 200,
      body: { items: ['../whoami'] },
    });
    bed.simulator.operator.clearLog();
    await api(url).get('/broker/transfers').expect(502);
    expect(askedOf(bed.simulator).join(' ')).not.toContain('whoami');
  });

  it('T-82: answers a body that is nested too deeply with 400', async () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const deep = `${open.repeat(15_000)}1${close.repeat(15_000)}`;
      const { body } = await api(url)
        .post('/broker/transfers')
        .set('content-type', 'application/json')
        .send(`{"sender":${deep}}`)
        .expect(400)
        .expect('content-type', PROBLEM);
      expect(body).toMatchObject({ code: 'BAD_REQUEST' });
    }
  });

  it.each(['{canary-value}', '"canary-value', '{"a":"canary-value"', '[canary-value', '{"a" canary-value}'])(
    'repeats nothing of a body that cannot be read: %s',
    async (sent) => {
      const { body } = await api(url)
        .post('/broker/transfers')
        .set('content-type', 'application/json')
        .send(sent)
        .expect(400);
      expect(JSON.stringify(body)).not.toMatch(/canary|value/);
    },
  );

  it('T-83: repeats no person number, however it is spelled', async () => {
    for (const spelled of ['01017012345', '010170 12345', '01.01.70-123.45', '010170%2012345', '０１０１７０12345']) {
      const { body } = await api(url)
        .post('/broker/transfers')
        .send({ ...newTransfer, [spelled]: 1 })
        .expect(400);
      expect(JSON.stringify(body)).not.toContain(spelled);
      expect(JSON.stringify(body)).toContain('[redacted]');
    }
  });

  it('gives each answer an id of its own', async () => {
    const first = await api(url).get('/broker/transfers').expect(200);
    const second = await api(url).get('/broker/transfers').set('x-request-id', 'chosen-by-caller').expect(200);
    const ids = [first.headers['x-request-id'], second.headers['x-request-id']];
    expect(ids).toEqual([expect.stringMatching(/^[\da-f-]{36}$/), expect.stringMatching(/^[\da-f-]{36}$/)]);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('answers an unknown route with a problem document', async () => {
    const { body } = await api(url).get('/nothing').expect(404).expect('content-type', PROBLEM);
    expect(body).toMatchObject({ status: 404, title: 'Not Found', code: 'NOT_FOUND', failures: [] });
  });

  it('names every wrong field of a request and repeats no value', async () => {
    const { body } = await api(url)
      .post('/broker/transfers')
      .send({ ...newTransfer, sender: 'canary-value', fileName: '../canary-value', extra: 'canary-value' })
      .expect(400)
      .expect('content-type', PROBLEM);
    expect(body).toMatchObject({ code: 'INVALID_REQUEST' });
    const { failures } = body as { failures: { field: string }[] };
    expect(failures.map(({ field }) => field).toSorted()).toEqual(['extra', 'fileName', 'sender']);
    expect(JSON.stringify(body)).not.toContain('canary-value');
  });

  it('answers a body that is not JSON with a problem document', async () => {
    const { body } = await api(url)
      .post('/broker/transfers')
      .set('content-type', 'application/json')
      .send('{"canary-value')
      .expect(400)
      .expect('content-type', PROBLEM);
    expect(body).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    expect(JSON.stringify(body)).not.toContain('canary-value');
  });

  it('F-135: passes on what the API says about the call, without its body', async () => {
    bed.simulator.operator.faults.add({
      path: '/broker/api/v1/*',
      status: 403,
      body: { secretOfTheApi: 'canary-value' },
    });
    const { body } = await api(url).get('/broker/transfers').expect(403).expect('content-type', PROBLEM);
    expect(body).toMatchObject({ code: 'API_REFUSED', failures: [{ field: 'downstream', code: 'API_REFUSED' }] });
    expect(JSON.stringify(body)).not.toContain('canary-value');
  });

  it('F-136: does not follow a redirect of the API', async () => {
    bed.simulator.operator.faults.add({ path: '/broker/api/v1/*', redirect: `${bed.simulator.apiUrl}/whoami` });
    bed.simulator.operator.clearLog();
    await api(url).get('/broker/transfers').expect(502).expect('content-type', PROBLEM);
    expect(bed.simulator.log.filter(({ server }) => server === 'api')).toEqual([]);
  });

  it('tells a busy API from a broken one, and passes on how long to wait', async () => {
    bed.simulator.operator.faults.add({ path: '/broker/api/v1/*', status: 429, retryAfter: 7, times: 1 });
    const busy = await api(url).get('/broker/transfers').expect(503).expect('retry-after', '7');
    expect(busy.body).toMatchObject({ code: 'SERVER_ERROR', failures: [{ code: 'API_FAILED' }] });
    bed.simulator.operator.faults.add({ path: '/broker/api/v1/*', status: 500, times: 1 });
    await api(url).get('/broker/transfers').expect(502);
    bed.simulator.operator.faults.add({ path: '/broker/api/v1/*', reset: true, times: 1 });
    const gone = await api(url).get('/broker/transfers').expect(503);
    expect(gone.body).toMatchObject({ failures: [{ code: 'API_UNREACHABLE' }] });
  });

  it('F-134: renews a refused token and repeats a read once; the caller notices nothing', async () => {
    await api(url).get('/broker/transfers').expect(200);
    const used = bed.simulator.log.findLast(({ kind }) => kind === 'call')?.tokenJti;
    if (used === undefined) throw new Error('no call was logged');
    bed.simulator.operator.revoke(used);
    bed.simulator.operator.clearLog();
    await api(url).get('/broker/transfers').expect(200);
    expect(calls().map(({ status }) => status)).toEqual([401, 200]);
  });

  it('F-134: does not repeat a write; the refused token is ours to mend', async () => {
    await api(url).post('/broker/transfers').send(newTransfer).expect(201);
    const used = bed.simulator.log.findLast(({ kind }) => kind === 'call')?.tokenJti;
    if (used === undefined) throw new Error('no call was logged');
    bed.simulator.operator.revoke(used);
    bed.simulator.operator.clearLog();
    const { body } = await api(url).post('/broker/transfers').send(newTransfer).expect(502);
    expect(body).toMatchObject({ code: 'SERVER_ERROR', failures: [{ code: 'API_REFUSED_TOKEN' }] });
    expect(calls().map(({ status }) => status)).toEqual([401]);
  });
});

describe('the service without access', () => {
  afterEach(closeAll);

  it('F-58: names the scope that the client does not have', async () => {
    const { variables } = await makeTestBed(['altinn:broker.read']);
    const { url } = await serve(variables);
    const { body } = await api(url)
      .post('/broker/transfers')
      .send(newTransfer)
      .expect(500)
      .expect('content-type', PROBLEM);
    expect(body).toMatchObject({ code: 'SERVER_ERROR', failures: [{ field: 'scope', code: 'MP_SCOPE' }] });
    // F-64: another scope of the same client is not affected.
    await api(url).get('/broker/transfers').expect(200);
  });

  it('repeats nothing of an address that cannot be read', async () => {
    const { variables } = await makeTestBed();
    const { url } = await serve(variables);
    const { body } = await api(url).get('/audit/%E0%A4010170%2012345').expect(400).expect('content-type', PROBLEM);
    expect(JSON.stringify(body)).not.toMatch(/010170|12345/);
  });

  it('F-59: an access that the API owner has not granted is 403 with a hint for whoever can act', async () => {
    const { variables } = await makeTestBed(undefined, {
      ungranted: [{ orgno: '310000019', scope: 'altinn:broker.read' }],
    });
    const { url } = await serve(variables);
    const { body } = await api(url).get('/broker/transfers').expect(403).expect('content-type', PROBLEM);
    expect(body).toMatchObject({ code: 'MP_NOT_GRANTED', hint: { en: expect.any(String), nb: expect.any(String) } });
  });

  it('F-54: a key that is not the registered one is named as the cause', async () => {
    const bed = await makeTestBed();
    const other = await makeTestBed();
    const { url } = await serve({
      ...bed.variables,
      MASKINPORTEN_PRIVATE_KEY: other.variables['MASKINPORTEN_PRIVATE_KEY'] ?? '',
    });
    const { body } = await api(url).get('/broker/transfers').expect(500);
    expect(body).toMatchObject({
      code: 'SERVER_ERROR',
      failures: [{ field: 'MASKINPORTEN_PRIVATE_KEY', code: 'MP_SIGNATURE' }],
    });
  });

  it('F-03: Maskinporten down is 503 with Retry-After, and nothing is sent to the API', async () => {
    const { simulator, variables } = await makeTestBed();
    const { url } = await serve(variables);
    await api(url).post('/broker/transfers').send(newTransfer).expect(201);
    await simulator.close();
    simulator.operator.clearLog();
    const { body } = await api(url)
      .get('/broker/transfers')
      .expect(503)
      .expect('content-type', PROBLEM)
      .expect('retry-after', /^[1-9]\d*$/);
    expect(body).toMatchObject({
      code: 'SERVER_ERROR',
      failures: [{ field: 'MASKINPORTEN_TOKEN_ENDPOINT', code: 'MP_NETWORK' }],
    });
    expect(simulator.log.filter(({ kind }) => kind === 'call')).toEqual([]);
  });
});
