import { describe, expect, it } from '@jest/globals';
import axios, { type AxiosAdapter, type InternalAxiosRequestConfig } from 'axios';
import MockAdapter from 'axios-mock-adapter';
import { CallObservers, ClientRegistry, type CallObserver } from '../signals/index.js';
import type { OutboundClient } from './outbound-client.js';
import { DestinationList } from './destination-list.js';
import { attachMaskinporten } from './attach-maskinporten.js';
import { rejection, ScriptedTokens, scriptedToken } from './outbound.fixtures.js';
import { TOKEN, TwoServers } from './servers.fixtures.js';

interface Seen {
  readonly url: string | undefined;
  readonly baseURL: string | undefined;
  readonly authorization: unknown;
}

/** An adapter that answers itself and notes what it was given. */
const noting =
  (seen: Seen[]): AxiosAdapter =>
  async (config) => {
    seen.push({ url: config.url, baseURL: config.baseURL, authorization: config.headers.Authorization });
    return Promise.resolve({ data: 'noted', status: 200, statusText: 'OK', headers: {}, config });
  };

describe('an adapter of somebody else becomes the transport under ours', () => {
  const servers = new TwoServers();

  const WAYS: readonly (readonly [
    name: string,
    set: (
      adapter: AxiosAdapter,
    ) => (config: InternalAxiosRequestConfig) => InternalAxiosRequestConfig | Promise<InternalAxiosRequestConfig>,
  ])[] = [
    ['in place', (adapter) => (config) => Object.assign(config, { adapter })],
    ['in a new object', (adapter) => (config) => ({ ...config, adapter })],
    ['later', (adapter) => async (config) => Promise.resolve({ ...config, adapter })],
  ];

  for (const [name, set] of WAYS) {
    for (const order of ['before', 'after'] as const) {
      for (const legacy of [true, false]) {
        it(`set by an interceptor ${name}, registered ${order} attaching, ${legacy ? 'last first' : 'first first'}`, async () => {
          const seen: Seen[] = [];
          const recorded: string[] = [];
          const instance = axios.create({ baseURL: servers.server.origin });
          instance.defaults.transitional = {
            ...instance.defaults.transitional,
            legacyInterceptorReqResOrdering: legacy,
          };
          const use = (): unknown => instance.interceptors.request.use(set(noting(seen)));
          if (order === 'before') use();
          const clients = new ClientRegistry<OutboundClient>();
          const tokens = new ScriptedTokens([]).cache(scriptedToken(TOKEN));
          const observers = new CallObservers();
          clients.register({
            name: 'default',
            tokens,
            observers,
            destinations: new DestinationList([{ origin: servers.server.origin }]),
          });
          observers.add({
            after: (call, { status }) => recorded.push(`${call.tokenJti} ${status}`),
          } satisfies CallObserver);
          attachMaskinporten(instance, tokens, 'acme:read');
          if (order === 'after') use();
          expect((await instance.get('/x')).data).toBe('noted');
          expect(seen).toEqual([{ url: '/x', baseURL: servers.server.origin, authorization: `Bearer ${TOKEN}` }]);
          expect(recorded).toEqual([`jti-${TOKEN} 200`]);
          expect(await rejection(instance.get(`${servers.other.origin}/x`))).toMatchObject({ code: 'MP_DESTINATION' });
          expect(seen).toHaveLength(1);
        });
      }
    }
  }

  it('as a default that was set after attaching, and as an option of the call', async () => {
    const seen: Seen[] = [];
    const instance = servers.attached({ baseURL: servers.server.origin });
    await instance.get('/call', { adapter: noting(seen) });
    instance.defaults.adapter = noting(seen);
    await instance.get('/default');
    expect(seen.map(({ url, authorization }) => [url, authorization])).toEqual([
      ['/call', `Bearer ${TOKEN}`],
      ['/default', `Bearer ${TOKEN}`],
    ]);
    expect(await rejection(instance.get(servers.other.origin))).toMatchObject({ code: 'MP_DESTINATION' });
  });

  it('stays in answers and errors as it was set, so that they can be sent again', async () => {
    const seen: Seen[] = [];
    const adapter = noting(seen);
    const instance = servers.attached({ baseURL: servers.server.origin });
    const { config } = await instance.get('/x', { adapter });
    expect(config.adapter).toBe(adapter);
    await instance.request(config);
    expect(seen).toHaveLength(2);
    expect((await instance.get('/y')).config.adapter).toBe(instance.defaults.adapter);
  });

  it('is given the judged address where its own way of joining could lead elsewhere', async () => {
    const { server, other } = servers;
    const destinations = [{ origin: server.origin, pathPrefix: '/krav/v1' }];
    const seen: Seen[] = [];
    const instance = servers.attached({ baseURL: `${server.origin}/krav/v1`, adapter: noting(seen) }, { destinations });
    // `new URL('/x', base)` would leave the prefix, and `//host` the server.
    await instance.get('/x');
    await instance.get(`//${new URL(other.origin).host}/x`, { allowAbsoluteUrls: false });
    await instance.get(`${server.origin}/krav/v1/absolute`);
    expect(seen.map(({ url, baseURL }) => [url, baseURL])).toEqual([
      [`${server.origin}/krav/v1/x`, undefined],
      [`${server.origin}/krav/v1/${new URL(other.origin).host}/x`, undefined],
      [`${server.origin}/krav/v1/absolute`, undefined],
    ]);
    for (const url of ['../admin', '/..;/admin', other.origin]) {
      expect(await rejection(instance.get(url))).toMatchObject({ code: 'MP_DESTINATION' });
    }
    expect(seen).toHaveLength(3);
  });

  for (const order of ['before', 'after'] as const) {
    it(`axios-mock-adapter, set up ${order} attaching, matches onGet('/path'), and what passes through carries the token`, async () => {
      const instance = axios.create({ baseURL: servers.server.origin });
      let mock: MockAdapter | undefined;
      if (order === 'before') mock = new MockAdapter(instance as never);
      attachMaskinporten(instance, new ScriptedTokens([]).cache(scriptedToken(TOKEN)), {
        scopes: 'acme:read',
        destinations: [servers.server.origin],
      });
      mock ??= new MockAdapter(instance as never);
      mock.onGet('/path').reply(200, 'mocked');
      mock.onGet(`${servers.server.origin}/whole`).reply(200, 'mocked too');
      mock.onPost('/path').reply(500);
      mock.onGet('/through').passThrough();
      expect((await instance.get('/path')).data).toBe('mocked');
      expect((await instance.get('/whole')).data).toBe('mocked too');
      expect(await rejection(instance.post('/path'))).toMatchObject({ response: { status: 500 } });
      expect(await rejection(instance.get('/unknown'))).toMatchObject({ response: { status: 404 } });
      expect(await rejection(instance.get(`${servers.other.origin}/path`))).toMatchObject({ code: 'MP_DESTINATION' });
      expect(mock.history['get']?.[0]?.headers?.['Authorization']).toBe(`Bearer ${TOKEN}`);
      await instance.get('/through');
      expect(servers.server.arrivals.map(({ url, authorization }) => [url, authorization])).toEqual([
        ['/through', `Bearer ${TOKEN}`],
      ]);
    });
  }
});
