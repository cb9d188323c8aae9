import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Inject, Post, type INestApplication } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import { MaskinportenHttpModule, MaskinportenHttpService, RequestContext, Scopes } from 'nestjs-maskinporten';
import { forkJoin, from, map, mergeMap, type Observable, timer, toArray } from 'rxjs';
import request from 'supertest';
import { AppModule } from '../src/app.module.js';
import { rulebookVersion, type Environment } from '../src/config/index.js';
import { useBeforeBodies } from '../src/create-app.js';
import { ServiceLogger } from '../src/logging/index.js';
import {
  api,
  APP_RESOURCE,
  AUTHORIZATION,
  CLAIMS_RESOURCE,
  closeAll,
  configurationOf,
  CUSTOMER,
  makeDelegationBed,
  makeTestBed,
  SYSTEM_ID,
  serve,
  type TestBed,
} from './support/service.js';

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;
const PROBLEM = /^application\/problem\+json/;
const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;

interface Downstream {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status?: number;
  readonly errorCode?: string;
  readonly scopes: readonly string[];
  readonly onBehalfOf?: string;
  readonly tokenJti?: string;
}
interface Body {
  readonly data: unknown;
  readonly _meta: { readonly requestId: string; readonly rulebookVersion: string; readonly downstream: Downstream[] };
}

const hostOf = (address: string): string => new URL(address).host;

const ADAPTERS: [string, () => AbstractHttpAdapter][] = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
];

/** Keeps the headers of what it is asked. */
class Listener {
  readonly heard: IncomingHttpHeaders[] = [];
  readonly #server: Server = createServer((incoming, response) => {
    this.heard.push(incoming.headers);
    response.end('{}');
  });

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

describe.each(ADAPTERS)('_meta on %s', (_name, makeAdapter) => {
  let bed: TestBed;
  let url: string;

  beforeAll(async () => {
    bed = await makeDelegationBed();
    bed.simulator.operator.systemUsers.addUnknown({
      systemId: SYSTEM_ID,
      orgno: CUSTOMER,
      rights: [CLAIMS_RESOURCE, APP_RESOURCE],
    });
    ({ url } = await serve({ ...bed.variables, RULEBOOK_VERSION: '2026.2' }, makeAdapter()));
  });
  afterAll(closeAll);
  afterEach(() => bed.simulator.operator.faults.clear());

  it('tells the id, the rules and the calls of each successful answer', async () => {
    const { body, headers } = await api(url).get('/broker/transfers?resourceId=canary-query').expect(200);
    const { data, _meta: meta } = body as Body;
    expect(Object.keys(body as object)).toEqual(['data', '_meta']);
    expect(data).toEqual({ items: [] });
    const call = bed.simulator.log.findLast(({ kind }) => kind === 'call');
    expect(meta).toEqual({
      requestId: headers['x-request-id'],
      rulebookVersion: '2026.2',
      downstream: [
        {
          method: 'GET',
          host: hostOf(bed.simulator.platformUrl),
          path: '/broker/api/v1/filetransfer',
          status: 200,
          scopes: ['altinn:broker.read'],
          tokenJti: expect.stringMatching(UUID),
          durationMs: expect.any(Number),
        },
      ],
    });
    expect(call?.path).toBe('/broker/api/v1/filetransfer');
    expect(JSON.stringify(meta)).not.toContain('canary-query');
  });

  it('names the organisation on whose behalf calls were made, and no number in a path', async () => {
    const { body } = await api(url).get(`/organisations/${CUSTOMER}/claims`).expect(200);
    expect((body as Body)._meta.downstream).toEqual([
      expect.objectContaining({
        path: '/kravogbetalinger/v1/regnskapssystem/{id}/aapnekrav',
        onBehalfOf: CUSTOMER,
        scopes: ['skatteetaten:kravogbetalinger'],
      }),
    ]);
  });

  it('tells every call of a chain, in order', async () => {
    const { body } = await api(url).post(`/organisations/${CUSTOMER}/instances`).send({ data: {} }).expect(201);
    const { downstream } = (body as Body)._meta;
    expect(
      downstream.map(({ method, path, status }) => `${method} ${path.split('/').slice(3).join('/')} ${status}`),
    ).toEqual([
      'POST instances/create 201',
      'PUT instances/{id}/{id}/data/{id} 200',
      'PUT instances/{id}/{id}/process/next 200',
      'PUT instances/{id}/{id}/process/next 200',
    ]);
    expect(new Set(downstream.map(({ onBehalfOf }) => onBehalfOf))).toEqual(new Set([CUSTOMER]));
  });

  it('tells both attempts when a refused token was renewed', async () => {
    const first = await api(url).get('/broker/transfers').expect(200);
    const jti = bed.simulator.log.findLast(({ kind }) => kind === 'call')?.tokenJti;
    if (jti === undefined) throw new Error('no call was logged');
    bed.simulator.operator.revoke(jti);
    const { body } = await api(url).get('/broker/transfers').expect(200);
    const { downstream } = (body as Body)._meta;
    expect(downstream.map(({ status }) => status)).toEqual([401, 200]);
    expect(downstream[0]?.tokenJti).toBe((first.body as Body)._meta.downstream[0]?.tokenJti);
    expect(downstream[1]?.tokenJti).not.toBe(downstream[0]?.tokenJti);
  });

  it('is in problem documents too, with the call that failed', async () => {
    bed.simulator.operator.faults.add({ path: '/broker/api/v1/*', status: 500, times: 1 });
    const { body, headers } = await api(url).get('/broker/transfers').expect(502).expect('content-type', PROBLEM);
    expect(body).toMatchObject({
      code: 'SERVER_ERROR',
      _meta: { requestId: headers['x-request-id'], downstream: [{ status: 500 }] },
    });
    bed.simulator.operator.faults.add({ path: '/broker/api/v1/*', reset: true, times: 1 });
    const gone = await api(url).get('/broker/transfers').expect(503);
    const [call] = (gone.body as Body)._meta.downstream;
    expect(call).toMatchObject({ errorCode: expect.stringMatching(/^[A-Z_]+$/) });
    expect(call).not.toHaveProperty('status');
  });

  it('is in the problem documents of the guard, of wrong bodies and of failed tokens', async () => {
    const denied = await api(url).get('/organisations/310000043/claims').expect(403);
    expect(denied.body).toMatchObject({ code: 'caller_not_allowed', _meta: { downstream: [] } });
    const wrong = await api(url).post('/broker/transfers').send({ wrong: true }).expect(400);
    expect(wrong.body).toMatchObject({ code: 'INVALID_REQUEST', _meta: { requestId: wrong.headers['x-request-id'] } });
    const { ungranted } = bed.simulator.operator;
    ungranted.add({ orgno: '310000019', scope: 'altinn:broker.write' });
    const send = { resourceId: 'r', fileName: 'f', sendersReference: 's', sender: CUSTOMER, recipients: [CUSTOMER] };
    const refused = await api(url).post('/broker/transfers').send(send);
    expect(refused.body).toMatchObject({
      _meta: { downstream: [{ method: 'POST', errorCode: expect.stringMatching(/^MP_/) }] },
    });
    expect((refused.body as Body)._meta.downstream[0]).not.toHaveProperty('tokenJti');
  });

  it('is for known callers alone', async () => {
    for (const test of [
      request(url).get('/broker/transfers'),
      request(url).get('/broker/transfers').set('authorization', 'Bearer wrong'),
      request(url).get('/health').set(AUTHORIZATION),
      api(url).get('/nothing'),
    ]) {
      const { body, headers } = await test;
      expect(body).not.toHaveProperty('_meta');
      expect(headers['x-request-id']).toMatch(UUID);
    }
  });

  it('does not repeat the address of an unknown route', async () => {
    const { body } = await api(url).get('/people/01017012345?name=canary').expect(404).expect('content-type', PROBLEM);
    expect(body).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect(JSON.stringify(body)).not.toMatch(/01017012345|canary/);
  });

  it('stays apart between requests at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => api(url).get('/broker/transfers').expect(200)),
    );
    const metas = answers.map(({ body }) => (body as Body)._meta);
    expect(new Set(metas.map(({ requestId }) => requestId)).size).toBe(20);
    expect(metas.map(({ downstream }) => downstream.length)).toEqual(Array.from({ length: 20 }, () => 1));
  });

  it('is described as it is at /docs-json', async () => {
    const { body } = await request(url).get('/docs-json').expect(200);
    const { paths, components } = body as {
      paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, unknown> }> }>>;
      components: { schemas: Record<string, { properties: object; required: string[] }> };
    };
    expect(paths['/broker/transfers']?.['post']?.responses['201']?.content).toMatchObject({
      'application/json': {
        schema: { required: ['data', '_meta'], properties: { _meta: { $ref: '#/components/schemas/Meta' } } },
      },
    });
    expect(paths['/health']?.['get']?.responses['200']?.content).toBeUndefined();
    const answer = await api(url).get('/broker/transfers').expect(200);
    const { downstream, ...meta } = (answer.body as Body)._meta;
    const schema = components.schemas['Meta'];
    expect([...Object.keys(meta), 'downstream'].toSorted()).toEqual(schema?.required.toSorted());
    const described = schema?.properties as { downstream: { items: { properties: object } } };
    expect(Object.keys(described.downstream.items.properties)).toEqual(
      expect.arrayContaining(Object.keys(downstream[0] ?? {})),
    );
    expect(components.schemas['Problem']?.properties).toHaveProperty('_meta');
  });
});

/** Handlers of other shapes than the service has, and calls that it does not make. */
@Controller('shapes')
class ShapesController {
  static listed = '';
  static unlisted = '';

  constructor(@Inject(MaskinportenHttpService) private readonly withToken: MaskinportenHttpService) {}

  @Get('observable')
  @Scopes('altinn:broker.read')
  observable(): Observable<unknown> {
    return timer(1).pipe(
      mergeMap(() => from([1, 2, 3])),
      mergeMap((page) => this.withToken.get(`${ShapesController.listed}/pages/${page}`)),
      map(({ status }) => status),
      toArray(),
    );
  }

  @Get('parallel')
  @Scopes('altinn:broker.read')
  async parallel(): Promise<unknown> {
    const calls = ['a', 'b', 'c', 'd'].map(async (path) =>
      this.withToken.axiosRef.get(`${ShapesController.listed}/${path}`),
    );
    return (await Promise.all(calls)).map(({ status }) => status);
  }

  @Post('elsewhere')
  @Scopes('altinn:broker.read')
  elsewhere(): Observable<unknown> {
    const { listed, unlisted } = ShapesController;
    return forkJoin([
      this.withToken.get(`${listed}/with-token`),
      // With an Authorization of its own a call goes anywhere, as the caller wants it.
      this.withToken.get(`${unlisted}/own-authorization`, { headers: { authorization: 'Basic b3duOm93bg==' } }),
      from(axios.create().get(`${unlisted}/plain`)),
      from(fetch(`${unlisted}/fetch`)),
    ]).pipe(map((answers) => answers.map(({ status }) => status)));
  }
}

describe.each(ADAPTERS)('the context of a request on %s', (_name, makeAdapter) => {
  const listed = new Listener();
  const unlisted = new Listener();
  let url: string;
  let app: INestApplication | undefined;
  const lines: string[] = [];

  beforeAll(async () => {
    const bed = await makeTestBed();
    ShapesController.listed = await listed.listen();
    ShapesController.unlisted = await unlisted.listen();
    const destinations = `${bed.simulator.platformUrl},${ShapesController.listed}`;
    const variables = { ...bed.variables, MASKINPORTEN_DESTINATIONS: destinations };
    const module = await Test.createTestingModule({
      imports: [AppModule.register(await configurationOf(variables)), MaskinportenHttpModule.register()],
      controllers: [ShapesController],
    }).compile();
    app = module.createNestApplication(makeAdapter(), { logger: new RecordingLogger(lines) });
    useBeforeBodies(app);
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });
  afterAll(async () => {
    await app?.close();
    await Promise.all([listed.close(), unlisted.close(), closeAll()]);
  });
  afterEach(() => {
    listed.heard.length = 0;
    unlisted.heard.length = 0;
    lines.length = 0;
  });

  it.each(['observable', 'parallel'])('follows the calls of a handler: %s', async (shape) => {
    const { body } = await api(url).get(`/shapes/${shape}`).set({ traceparent: TRACEPARENT }).expect(200);
    const { data, _meta: meta } = body as Body;
    expect(meta.downstream.map(({ status }) => status)).toEqual(data);
    expect(new Set(meta.downstream.map(({ path }) => path)).size).toBe((data as unknown[]).length);
    const parents = listed.heard.map(({ traceparent }) => String(traceparent));
    expect(new Set(parents).size).toBe(parents.length);
    for (const parent of parents) {
      expect(parent).toMatch(new RegExp(`^00-${TRACE_ID}-[\\da-f]{16}-01$`));
      expect(parent).not.toBe(TRACEPARENT);
    }
  });

  it('hands traceparent on to listed destinations and to nobody else', async () => {
    const { body } = await api(url).post('/shapes/elsewhere').set({ traceparent: TRACEPARENT }).send({}).expect(201);
    expect((body as Body).data).toEqual([200, 200, 200, 200]);
    expect(listed.heard.map(({ traceparent }) => traceparent)).toEqual([expect.stringContaining(TRACE_ID)]);
    expect(unlisted.heard).toHaveLength(3);
    expect(JSON.stringify(unlisted.heard)).not.toContain(TRACE_ID);
    for (const headers of unlisted.heard) expect(headers).not.toHaveProperty('traceparent');
    // Only the call with a token of ours is ours to answer for.
    expect((body as Body)._meta.downstream.map(({ path }) => path)).toEqual(['/with-token']);
  });

  it.each([
    ['none', undefined],
    ['nonsense', 'nonsense'],
    ['zeros', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['something to inject', `${TRACEPARENT}\u00a0x-evil: 1`],
  ])('takes no trace from %s', async (_what, traceparent) => {
    const headers = traceparent === undefined ? {} : { traceparent };
    await api(url).get('/shapes/parallel').set(headers).expect(200);
    for (const heard of listed.heard) expect(heard).not.toHaveProperty('traceparent');
  });

  it('stands in each line that is written for the request', async () => {
    const { headers } = await api(url).get('/shapes/parallel').set({ traceparent: TRACEPARENT }).expect(200);
    await api(url).get('/shapes/nothing').expect(404);
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const ours = parsed.filter(({ requestId }) => requestId === headers['x-request-id']);
    expect(ours).toEqual([
      expect.objectContaining({ message: 'request', status: 200, caller: 'tests', trace_id: TRACE_ID }),
    ]);
    const other = parsed.find(({ status }) => status === 404);
    expect(other).toMatchObject({ message: 'request', requestId: expect.stringMatching(UUID) });
    expect(other).not.toHaveProperty('trace_id');
    // T-44: the line of a token that several share belongs to nobody's request.
    const tokens = parsed.filter(({ message }) => message === 'token obtained');
    expect(tokens.filter(({ requestId, trace_id: trace }) => requestId !== undefined || trace !== undefined)).toEqual(
      [],
    );
    expect(RequestContext.current()).toBeUndefined();
  });

  it('has the lines of probes at debug, and those of everything else at log', async () => {
    for (const path of ['/health', '/health/live', '/health/ready', '/metrics', '/healthy', '/health-check']) {
      await request(url).get(path);
    }
    const levels = lines.map((line) => JSON.parse(line) as { path: string; level: string });
    expect(levels.map(({ path, level }) => [path, level])).toEqual([
      ['/health', 'debug'],
      ['/health/live', 'debug'],
      ['/health/ready', 'debug'],
      ['/metrics', 'debug'],
      ['/healthy', 'log'],
      ['/health-check', 'log'],
    ]);
  });
});

/** The logger of the service, with its lines kept instead of printed. */
class RecordingLogger extends ServiceLogger {
  readonly #lines: string[];

  constructor(lines: string[]) {
    super('verbose');
    this.#lines = lines;
  }

  protected override printAsJson(message: unknown, options: Parameters<ServiceLogger['printAsJson']>[1]): void {
    this.#lines.push(this.stringifyJsonLogObject(this.getJsonLogObject(message, options)));
  }
}

describe('rulebookVersion', () => {
  it('is that of the package unless a setting says otherwise', () => {
    expect(rulebookVersion({} as Environment)).toMatch(/^\d+\.\d+\.\d+/);
    expect(rulebookVersion({ RULEBOOK_VERSION: '2026.2' } as Environment)).toBe('2026.2');
  });
});
