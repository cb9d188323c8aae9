import { Agent } from 'node:http';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios, { AxiosError, type AxiosAdapter, type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import { attachMaskinporten } from './attach-maskinporten.js';
import {
  drained,
  rejection,
  ScriptedTokens,
  scriptedToken,
  startRecordingServer,
  textsWithin,
  type RecordingServer,
} from './outbound.fixtures.js';
import { leaksOf, shows } from './sinks.fixtures.js';

const MINE = 'canary-of-this-call-8d1f';
const OTHERS = 'canary-of-another-call-77ab';
const KEY = 'canary-client-key-0c3e';

/** Node keeps all options of an agent, keys for TLS among them. */
const agentOptions = { keepAlive: true, maxFreeSockets: 0, key: KEY };

/** An application with an agent of its own: keep-alive, a client key in its options, and another call in flight on it. */
class World {
  server!: RecordingServer;
  agent!: Agent;
  http!: AxiosInstance;
  #finishOther: () => void = () => undefined;
  #other: Promise<unknown> = Promise.resolve();

  async start(): Promise<void> {
    this.server = await startRecordingServer();
    this.server.answer = (request, response) => {
      const path = request.url ?? '';
      if (path === '/other') this.#finishOther = () => response.end('{}');
      else if (path === '/hang') request.socket.pause();
      else if (path === '/drip') response.writeHead(200).write('x');
      else if (path === '/cut') {
        response.writeHead(200, { 'content-length': '100' }).write('x');
        setImmediate(() => response.destroy());
      } else if (path === '/large') response.end('x'.repeat(10_000));
      else if (path.startsWith('/status/')) response.writeHead(Number(path.slice(8))).end('{"a":1}');
      else response.end('{"a":1}');
    };
    this.agent = new Agent(agentOptions);
    this.http = this.attached({}, {}, MINE);
    const other = this.attached({}, { deadlineMs: 0 }, OTHERS);
    this.#other = other.get('/other');
    await until(() => this.server.arrivals.length === 1);
  }

  attached(config: object = {}, defaults: object = {}, token: string = MINE): AxiosInstance {
    const instance = axios.create({ baseURL: this.server.origin, httpAgent: this.agent, ...config });
    attachMaskinporten(instance, new ScriptedTokens([]).cache(scriptedToken(token)), {
      scopes: 'acme:read',
      destinations: [this.server.origin],
      ...defaults,
    });
    return instance;
  }

  async stop(): Promise<void> {
    this.#finishOther();
    await this.#other;
    this.agent.destroy();
    await this.server.close();
  }
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};

type Way = readonly [name: string, end: (world: World) => Promise<unknown>];

const through =
  (adapter: (config: InternalAxiosRequestConfig) => unknown, config: object = {}) =>
  async (world: World): Promise<unknown> =>
    world.http.get('/x', { adapter: adapter as AxiosAdapter, ...config });
/** What an adapter of somebody else may fail with: everything it knows hangs on it. */
const talkative = (config: InternalAxiosRequestConfig): Error =>
  Object.assign(new Error(`sent ${String(config.headers.Authorization)}`, { cause: { config } }), {
    config,
    request: { headers: config.headers },
    response: { status: 502, headers: config.headers, config, request: config, raw: config },
    options: config,
    code: 'EBROKEN',
    [Symbol('hidden')]: config,
  });

function refuse(this: InternalAxiosRequestConfig): never {
  throw new AxiosError('refused', 'ETRANSFORM', this);
}

const FAILING: readonly Way[] = [
  ['our deadline', async (w) => w.attached({}, { deadlineMs: 50 }).get('/hang')],
  ['our deadline in the body', async (w) => w.attached({}, { deadlineMs: 50 }).get('/drip')],
  ['axios’s own timeout', async (w) => w.http.get('/hang', { timeout: 50 })],
  ['a signal that was aborted before', async (w) => w.http.get('/x', { signal: AbortSignal.abort() })],
  ['a signal that is aborted meanwhile', async (w) => w.http.get('/hang', { signal: AbortSignal.timeout(50) })],
  [
    'a cancel token',
    async (w) => {
      const source = axios.CancelToken.source();
      const arrived = w.server.arrivals.length;
      const call = w.http.get('/hang', { cancelToken: source.token });
      await until(() => w.server.arrivals.length > arrived);
      source.cancel('enough');
      return call;
    },
  ],
  ['an error status', async (w) => w.http.get('/status/500')],
  ['a 401', async (w) => w.http.get('/status/401')],
  ['an answer that is cut short', async (w) => w.http.get('/cut')],
  ['an answer that is too large', async (w) => w.attached({}, { maxResponseBytes: 100 }).get('/large')],
  ['own Authorization that fails', async (w) => w.http.get('/status/500', { headers: { authorization: 'Key 1' } })],
  [
    'own Authorization that hangs',
    async (w) => w.http.get('/hang', { headers: { authorization: 'Key 1' }, timeout: 50 }),
  ],
  [
    'own Authorization, aborted',
    async (w) => w.http.get('/hang', { auth: { username: 'a', password: 'b' }, signal: AbortSignal.timeout(50) }),
  ],
  [
    'a request interceptor',
    async (w) => {
      const http = w.attached();
      http.interceptors.request.use((config) => {
        throw new AxiosError('refused', 'EINTERCEPTED', config);
      });
      return http.get('/x');
    },
  ],
  [
    'a response interceptor',
    async (w) => {
      const http = w.attached();
      http.interceptors.response.use((response) => {
        throw Object.assign(new Error('refused'), { response, config: response.config });
      });
      return http.get('/x');
    },
  ],
  [
    'a request transformer',
    async (w) =>
      w.http.get('/x', {
        transformRequest: refuse,
      }),
  ],
  [
    'a response transformer',
    async (w) =>
      w.http.get('/x', {
        transformResponse: refuse,
      }),
  ],
  ['a destination that is not listed', async (w) => w.http.get('https://elsewhere.example/')],
  ['an adapter that rejects', through(async (config) => Promise.reject(talkative(config)))],
  [
    'an adapter that throws',
    through((config) => {
      throw talkative(config);
    }),
  ],
  [
    'an adapter that throws later',
    through(async (config) => {
      await Promise.resolve();
      throw new AxiosError(
        'later',
        'ELATER',
        config,
        { path: config.headers },
        { data: config, status: 500, statusText: '', headers: {}, config },
      );
    }),
  ],
  [
    'an adapter that throws a frozen error',
    through((config) => {
      const error = talkative(config);
      Object.freeze(error);
      throw error;
    }),
  ],
  [
    'an adapter that throws something else',
    through((config) => {
      // eslint-disable-next-line typescript/only-throw-error -- that is what is tested
      throw { config };
    }),
  ],
  ['an adapter that rejects with a text', through(async (config) => Promise.reject(config.headers.Authorization))],
  ['an adapter that answers with nothing', through(() => undefined)],
  ['an adapter that answers with a text', through((config) => String(config.headers.Authorization))],
  ['an adapter that answers with its configuration', through((config) => config)],
  [
    'an adapter that answers with a thenable that throws',
    through((config) => ({
      // eslint-disable-next-line unicorn/no-thenable -- that is what is tested
      get then(): never {
        throw talkative(config);
      },
    })),
  ],
  [
    'an adapter that rejects with an answer',
    through(async (config) =>
      Promise.reject(
        new AxiosError(
          'bad',
          'EBAD',
          config,
          { config },
          { data: 'x', status: 502, statusText: '', headers: {}, config, request: config },
        ),
      ),
    ),
  ],
];

const SUCCEEDING: readonly Way[] = [
  ['an answer', async (w) => w.http.get('/x')],
  ['a stream', async (w) => w.http.get('/x', { responseType: 'stream' })],
  ['an answer of fetch', async (w) => w.http.get('/x', { adapter: 'fetch' })],
  ['a stream of fetch', async (w) => w.http.get('/x', { adapter: 'fetch', responseType: 'stream' })],
  ['own Authorization', async (w) => w.http.get('/x', { headers: { authorization: 'Key 1' } })],
  [
    'own Authorization, as a stream',
    async (w) => w.http.get('/x', { headers: { authorization: 'Key 1' }, responseType: 'stream' }),
  ],
  [
    'a talkative adapter',
    through(async (config) =>
      Promise.resolve({
        data: 'x',
        status: 200,
        statusText: '',
        headers: config.headers,
        config,
        request: config,
        raw: { config },
      }),
    ),
  ],
  [
    'a thenable',
    through((config) => ({
      // eslint-disable-next-line unicorn/no-thenable -- that is what is tested
      then: (done: (answer: unknown) => void) => done({ data: 'x', status: 200, statusText: '', headers: {}, config }),
    })),
  ],
];

describe('F-145: however a call ends, it shows no token, no agent and no key', () => {
  const world = new World();
  beforeAll(async () => world.start());
  afterAll(async () => world.stop());

  it.each(FAILING)('failed by %s', async (_name, end) => {
    const error = await rejection(end(world));
    expect(leaksOf(error, MINE, OTHERS, KEY, 'MaskinportenCaller')).toEqual([]);
  });

  it.each(SUCCEEDING)('succeeded with %s', async (_name, end) => {
    const answer = await end(world);
    expect(leaksOf(answer, MINE, OTHERS, KEY, 'MaskinportenCaller')).toEqual([]);
  });

  it('failed in the middle of a stream, of http and of fetch', async () => {
    for (const adapter of ['http', 'fetch'] as const) {
      const { data } = await world.http.get<Readable | ReadableStream>('/cut', { adapter, responseType: 'stream' });
      const error = await rejection(
        (async () => {
          await drained(data);
        })(),
      );
      expect([adapter, ...leaksOf(error, MINE, OTHERS, KEY)]).toEqual([adapter]);
      const controller = new AbortController();
      const aborted = await world.http.get<Readable | ReadableStream>('/drip', {
        adapter,
        responseType: 'stream',
        signal: controller.signal,
      });
      const failed = rejection(
        (async () => {
          await drained(aborted.data, () => controller.abort());
        })(),
      );
      expect([adapter, ...leaksOf(await failed, MINE, OTHERS, KEY)]).toEqual([adapter]);
    }
  });

  it('interceptors see no agent either', async () => {
    const http = world.attached();
    const seen: unknown[] = [];
    http.interceptors.request.use((config) => {
      seen.push(...[...textsWithin(config, false)].filter((text) => text.includes(OTHERS) || text.includes(KEY)));
      return config;
    });
    await http.get('/x');
    expect(seen).toEqual([]);
  });

  it('the other call shows that there was something to find: axios alone leaks it', async () => {
    const plain = axios.create({ baseURL: world.server.origin, httpAgent: world.agent });
    const error = await rejection(plain.get('/status/500'));
    expect(shows('every member that can be reached', error, OTHERS)).toBe(true);
    expect(shows('JSON', error, KEY)).toBe(true);
  });

  it('the agent is used: the transport gets it as it is', async () => {
    const seen: unknown[] = [];
    await world.http.get('/x', {
      adapter: async (config) => {
        seen.push(config.httpAgent);
        return Promise.resolve({ data: 'x', status: 200, statusText: '', headers: {}, config });
      },
    });
    expect(seen).toEqual([world.agent]);
  });
});
