import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import axios, { type AxiosInstance, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { setupCache } from 'axios-cache-interceptor';
import { normaliseTokenRequest } from '../grants/index.js';
import { attachMaskinporten } from './attach-maskinporten.js';
import { callerMarker } from './caller-marker.js';
import { MaskinportenContext } from './maskinporten-context.js';
import {
  deepText,
  gate,
  rejection,
  scriptedToken,
  startRecordingServer,
  type RecordingServer,
} from './outbound.fixtures.js';
import type { OutboundTokens } from './outbound-client.js';
import type { NormalisedTokenRequest } from '../grants/index.js';

const A = { scopes: 'acme:read', systemUser: { organisation: '310000027' } };
const B = { scopes: 'acme:read', systemUser: { organisation: '310000019' } };
const organisationOf = (request: NormalisedTokenRequest): string => request.organisation ?? 'nobody';

const get = async (http: AxiosInstance, who: typeof A, how: 'context' | 'call'): Promise<string> => {
  const { data } =
    how === 'context'
      ? await MaskinportenContext.run(who, async () => http.get<string>('/claims'))
      : await http.get<string>('/claims', { maskinporten: who });
  return data;
};

const keyOf = (config: InternalAxiosRequestConfig): string =>
  `${config.url} ${String(config.headers.get('authorization'))}`;

/** One token per organisation. */
class TokenPerOrganisation implements OutboundTokens {
  peek(request: NormalisedTokenRequest): ReturnType<OutboundTokens['peek']> {
    return scriptedToken(`token-of-${organisationOf(request)}`);
  }
  async getToken(): Promise<never> {
    return Promise.reject(new Error('it is cached'));
  }
  async renew(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}

describe('T-73: caches and de-duplicators above the adapter keep callers apart', () => {
  let server: RecordingServer;
  const caller = (): string[] => server.arrivals.map(({ authorization }) => String(authorization));

  beforeAll(async () => {
    server = await startRecordingServer();
  });
  afterAll(async () => server?.close());
  beforeEach(() => {
    server.arrivals.length = 0;
    server.answer = (request, response) => {
      response.writeHead(200, { 'cache-control': 'max-age=60', vary: 'Authorization', 'content-type': 'text/plain' });
      response.end(`for ${String(request.headers.authorization)}`);
    };
  });

  const attached = (prepare: (instance: AxiosInstance) => void = () => undefined, after = prepare): AxiosInstance => {
    const instance = axios.create({ baseURL: server.origin });
    if (prepare !== after) prepare(instance);
    attachMaskinporten(instance, new TokenPerOrganisation(), { destinations: [server.origin] });
    if (prepare === after) prepare(instance);
    return instance;
  };
  const cacheBefore = (): AxiosInstance =>
    attached(
      (instance) => void setupCache(instance),
      () => undefined,
    );
  const cacheAfter = (): AxiosInstance => attached((instance) => void setupCache(instance));

  for (const [order, make] of [
    ['before', cacheBefore],
    ['after', cacheAfter],
  ] as const) {
    for (const how of ['context', 'call'] as const) {
      it(`axios-cache-interceptor set up ${order} attaching, the request from the ${how}: A, B, A, B and all at once`, async () => {
        const http = make();
        for (const [who, name] of [
          [A, '310000027'],
          [B, '310000019'],
          [A, '310000027'],
          [B, '310000019'],
          [A, '310000027'],
        ] as const) {
          expect(await get(http, who, how)).toBe(`for Bearer token-of-${name}`);
        }
        // It is a cache still: each customer's answer came over the wire once.
        expect(new Set(caller())).toEqual(new Set(['Bearer token-of-310000027', 'Bearer token-of-310000019']));
        expect(caller()).toHaveLength(2);
        const mixed = await Promise.all([A, B, A, B, B, A].map(async (who) => get(http, who, how)));
        expect(mixed).toEqual(
          [A, B, A, B, B, A].map(({ systemUser }) => `for Bearer token-of-${systemUser.organisation}`),
        );
      });
    }

    it(`a call without context is not answered from a cache set up ${order} attaching`, async () => {
      const http = make();
      await get(http, A, 'context');
      expect(await rejection(http.get('/claims'))).toMatchObject({ code: 'MP_NO_CONTEXT' });
      expect(caller()).toHaveLength(1);
    });

    it(`what a cache set up ${order} attaching answers is still judged by its destination`, async () => {
      const http = make();
      await get(http, A, 'context');
      http.interceptors.request.use((config) => Object.assign(config, { baseURL: 'https://elsewhere.example' }));
      expect(await rejection(get(http, A, 'context'))).toMatchObject({ code: 'MP_DESTINATION' });
    });
  }

  it('a de-duplicator that joins calls of the same URL and Authorization joins one caller only', async () => {
    const held = gate();
    server.answer = (request, response) =>
      void held.opened.then(() => response.end(String(request.headers.authorization)));
    const pending = new Map<string, Promise<AxiosResponse>>();
    const http = attached((instance) => {
      instance.interceptors.request.use((config) => {
        const known = pending.get(keyOf(config));
        if (known !== undefined) config.adapter = async () => ({ ...(await known), config });
        else {
          const flight = new Promise<AxiosResponse>((resolve) => Object.assign(config, { done: resolve }));
          pending.set(keyOf(config), flight);
        }
        return config;
      });
      instance.interceptors.response.use((response) => {
        // It finds its entry again: the marker is there until the last interceptor.
        if (pending.delete(keyOf(response.config)))
          (response.config as { done?: (a: AxiosResponse) => void }).done?.(response);
        return response;
      });
    });
    const all = [A, B, A, B].map(async (who) => get(http, who, 'context'));
    held.open();
    expect(await Promise.all(all)).toEqual(
      [A, B, A, B].map(({ systemUser: { organisation: o } }) => `Bearer token-of-${o}`),
    );
    expect(pending.size).toBe(0);
    expect(caller()).toHaveLength(2);
  });

  it('a batcher that collects calls by Authorization puts one caller into a batch', async () => {
    server.answer = (request, response) => response.end(JSON.stringify([request.url, request.headers.authorization]));
    const batches = new Map<string, string[]>();
    const http = attached((instance) => {
      instance.interceptors.request.use(async (config) => {
        const key = String(config.headers.Authorization);
        const batch = batches.get(key) ?? [];
        batches.set(key, batch);
        batch.push(String(config.params.id));
        await Promise.resolve();
        return { ...config, url: `/batch?ids=${batch.join()}`, params: {} };
      });
    });
    const ask = async (who: typeof A, id: number): Promise<unknown> =>
      (await MaskinportenContext.run(who, async () => http.get<unknown>('/claims', { params: { id } }))).data;
    expect(await Promise.all([ask(A, 1), ask(B, 2), ask(A, 3)])).toEqual([
      ['/batch?ids=1,3', 'Bearer token-of-310000027'],
      ['/batch?ids=2', 'Bearer token-of-310000019'],
      ['/batch?ids=1,3', 'Bearer token-of-310000027'],
    ]);
    expect(batches.size).toBe(2);
  });

  it('an interceptor cannot make it somebody else’s call afterwards', async () => {
    const http = attached((instance) => {
      instance.interceptors.request.use((config) => Object.assign(config, { maskinporten: B }));
    });
    expect(await rejection(get(http, A, 'context'))).toMatchObject({ code: 'MP_REQUEST' });
    expect(caller()).toEqual([]);
    // The same caller in other words is no change.
    expect(await get(http, B, 'context')).toBe('for Bearer token-of-310000019');
  });

  it('the marker is visible to every interceptor, and neither sent nor left in results and errors', async () => {
    const seen: string[] = [];
    for (const legacyInterceptorReqResOrdering of [true, false]) {
      const look = (config: InternalAxiosRequestConfig): InternalAxiosRequestConfig => {
        seen.push(String(config.headers.Authorization));
        return config;
      };
      const http = attached((instance) => {
        instance.defaults.transitional = { ...instance.defaults.transitional, legacyInterceptorReqResOrdering };
        instance.interceptors.request.use(look);
        instance.interceptors.request.clear();
        instance.interceptors.request.use(look);
        instance.interceptors.request.use(look, undefined, { synchronous: true });
      });
      server.answer = (_request, answer) => answer.end('{}');
      const response = await MaskinportenContext.run(A, async () => http.get('/claims'));
      expect(deepText(response)).not.toContain('MaskinportenCaller');
      server.answer = (_request, answer) => answer.writeHead(500).end();
      const failed = await rejection(http.get('/claims', { maskinporten: B }));
      expect(deepText(failed)).not.toContain('MaskinportenCaller');
      http.interceptors.request.use((config) => {
        throw Object.assign(new Error('an interceptor failed'), { config, wrapped: { config } });
      });
      const broken = await rejection(http.get('/claims', { maskinporten: A }));
      expect(broken.message).toBe('an interceptor failed');
      expect(deepText(broken)).not.toContain('MaskinportenCaller');
      const aborted = await rejection(attached().get('/claims', { maskinporten: A, signal: AbortSignal.abort() }));
      expect(deepText(aborted)).not.toContain('MaskinportenCaller');
    }
    expect(seen).toHaveLength(10);
    for (const marker of seen) expect(marker).toMatch(/^MaskinportenCaller [\w-]{43}$/);
    expect(new Set(seen).size).toBe(4);
    expect(caller().join()).not.toContain('MaskinportenCaller');
  });

  it('own credentials take the place of the marker, whoever sets them', async () => {
    const http = attached((instance) => {
      instance.interceptors.request.use((config) => {
        if (config.params?.own === true) config.headers.Authorization = 'Key 1';
        if (config.params?.auth === true) config.auth = { username: 'u', password: 'p' };
        return config;
      });
    });
    await http.get('/', { headers: { authorization: 'Key 0' } });
    await http.get('/', { maskinporten: A, params: { own: true } });
    await http.get('/', { maskinporten: A, params: { auth: true } });
    expect(caller()).toEqual(['Key 0', 'Key 1', 'Basic dTpw']);
  });

  it('is stable for the same client and request, and differs for every other', () => {
    const [one, two] = [new TokenPerOrganisation(), new TokenPerOrganisation()];
    const requests = [
      'acme:read',
      'acme:read acme:write',
      { scopes: 'acme:read', consumerOrg: '310000027' },
      A,
      B,
      { ...A, systemUser: { ...A.systemUser, externalRef: 'x' } },
      { scopes: 'acme:read', resource: 'https://api.example.no' },
      { scopes: 'acme:read', exchange: 'altinn' as const },
    ];
    const markers = [one, two].flatMap((tokens) =>
      requests.map((request) => callerMarker(tokens, normaliseTokenRequest(request))),
    );
    expect(new Set(markers).size).toBe(markers.length);
    expect(callerMarker(one, normaliseTokenRequest({ ...A }))).toBe(markers[3]);
    for (const marker of markers) expect(marker).not.toMatch(/310000027|310000019|acme/);
  });

  it('instances made from an attached one keep callers apart as well; a copy by hand is refused', async () => {
    const parent = attached();
    const child = parent.create({ headers: { 'x-child': '1' } });
    setupCache(child);
    for (const who of [A, B, A, B]) {
      expect(await get(child, who, 'context')).toBe(`for Bearer token-of-${who.systemUser.organisation}`);
    }
    const copy = axios.create({ ...parent.defaults, headers: {} });
    expect(await rejection(get(copy, A, 'context'))).toMatchObject({ code: 'MP_CONFIG' });
    expect(caller()).toHaveLength(2);
  });
});
