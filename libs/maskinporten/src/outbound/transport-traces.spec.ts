import { Agent } from 'node:http';
import { createServer } from 'node:net';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios, { AxiosError, type AxiosInstance } from 'axios';
import { attachMaskinporten } from './attach-maskinporten.js';
import {
  deepText,
  rejection,
  ScriptedTokens,
  scriptedToken,
  startRecordingServer,
  type RecordingServer,
} from './outbound.fixtures.js';
import { leaksOf, SINKS } from './sinks.fixtures.js';

const CANARY = 'canary-4f2a9c-not-a-real-token';

async function refusedConnection(): Promise<unknown> {
  const unused = createServer();
  await new Promise<void>((resolve) => unused.listen(0, '127.0.0.1', resolve));
  const { port } = unused.address() as { port: number };
  await new Promise((resolve) => unused.close(resolve));
  const instance = axios.create();
  const origin = `http://127.0.0.1:${port}`;
  attachMaskinporten(instance, new ScriptedTokens([]).cache(scriptedToken(CANARY)), {
    scopes: 'a:b',
    destinations: [origin],
  });
  return instance.get(origin);
}

describe('traces of the token', () => {
  let server: RecordingServer;
  let http: AxiosInstance;

  beforeAll(async () => {
    server = await startRecordingServer();
    server.answer = (request, response) => {
      const path = request.url ?? '';
      if (path.startsWith('/status/')) response.writeHead(Number(path.slice(8, 11))).end('{"a":1}');
      else if (path === '/redirect') response.writeHead(302, { location: '/x' }).end();
      else if (path === '/cut') {
        response.writeHead(200, { 'content-length': '100' }).write('x');
        response.destroy();
      } else if (path === '/reset') request.socket.destroy();
      else if (path === '/silent') request.socket.pause();
      else if (path === '/large') response.end('x'.repeat(10_000));
      else response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":1}');
    };
    // A socket of its own for each call: some of them are left in a bad state on purpose.
    http = axios.create({ httpAgent: new Agent({ keepAlive: false }) });
    attachMaskinporten(http, new ScriptedTokens([]).cache(scriptedToken(CANARY)), {
      scopes: 'acme:read',
      destinations: [server.origin],
      maxResponseBytes: 1_000,
    });
  });
  afterAll(async () => server?.close());

  const url = (path: string): string => `${server.origin}${path}`;
  const FAILURES: readonly (readonly [name: string, fail: () => Promise<unknown>])[] = [
    ['400', async () => http.get(url('/status/400'))],
    ['401', async () => http.get(url('/status/401'))],
    ['403', async () => http.post(url('/status/403'), { a: 1 })],
    ['500', async () => http.get(url('/status/500'))],
    ['redirect', async () => http.get(url('/redirect'))],
    ['cut short', async () => http.get(url('/cut'))],
    ['reset', async () => http.get(url('/reset'))],
    ['timeout', async () => http.get(url('/silent'), { timeout: 30 })],
    ['aborted', async () => http.get(url('/silent'), { signal: AbortSignal.timeout(30) })],
    ['too large', async () => http.get(url('/large'))],
    [
      'answer that is not JSON',
      async () =>
        http.get(url('/large'), {
          responseType: 'json',
          maxContentLength: 99_999,
          transitional: { silentJSONParsing: false },
        }),
    ],
    ['refused connection', async () => refusedConnection()],
    ['destination', async () => http.get('https://evil.example/')],
    ['error status as a stream', async () => http.get(url('/status/500'), { responseType: 'stream' })],
  ];

  it.each(FAILURES)('T-01, T-02, T-03: %s shows the token in no sink', async (_name, fail) => {
    const error = await rejection(fail());
    const leaks = leaksOf(error, CANARY);
    expect(leaks).toEqual([]);
  });

  it('T-01: the sinks would show it: an instance without the module leaks', async () => {
    const plain = axios.create({ headers: { Authorization: `Bearer ${CANARY}` } });
    const error = await rejection(plain.get(url('/status/500')));
    const leaks = leaksOf(error, CANARY);
    expect(leaks).toContain('JSON');
    expect(leaks).toContain('deep inspect with hidden properties and getters');
    expect(leaks).toContain('Nest JSON logger');
  });

  it('T-01: application errors stay axios errors with status, code, answer and the caller’s own configuration', async () => {
    const error = (await rejection(http.get(url('/status/500'), { params: { q: 1 } }))) as AxiosError;
    expect(error).toBeInstanceOf(AxiosError);
    expect(axios.isAxiosError(error)).toBe(true);
    expect(error).toMatchObject({ code: 'ERR_BAD_RESPONSE', status: 500, response: { status: 500, data: { a: 1 } } });
    expect(error.config).toMatchObject({ params: { q: 1 }, url: url('/status/500') });
    expect(error.response?.config).toBe(error.config);
  });

  it.each([undefined, 'text', 'arraybuffer', 'stream'] as const)(
    'T-04: an answer of type %s shows the token nowhere',
    async (responseType) => {
      const response = await http.get(url('/fine'), responseType === undefined ? {} : { responseType });
      for (const [name, print] of SINKS) expect([name, print(response).includes(CANARY)]).toEqual([name, false]);
      expect(response.request).toBeUndefined();
    },
  );

  it('T-01: a configuration from an error can be used again: its agents still work', async () => {
    const agent = new Agent({ keepAlive: true });
    const used: unknown[] = [];
    agent.on('free', () => used.push('free'));
    const error = (await rejection(http.get(url('/status/500'), { httpAgent: agent, params: { q: 1 } }))) as AxiosError;
    const again = (await rejection(http.request({ ...error.config }))) as AxiosError;
    agent.destroy();
    expect(again.response?.status).toBe(500);
    expect(used).toHaveLength(2);
  });

  it('T-04: a stream can still be read', async () => {
    const { data } = await http.get<Readable>(url('/fine'), { responseType: 'stream' });
    const chunks: string[] = [];
    for await (const chunk of data) chunks.push(String(chunk));
    expect(chunks.join('')).toBe('{"a":1}');
  });

  it('T-04: interceptors and transforms of the answer do not see it either', async () => {
    const seen: string[] = [];
    const instance = axios.create({
      transformResponse: [
        function transform(this: unknown, data: unknown) {
          seen.push(deepText(this));
          return data;
        },
      ],
    });
    attachMaskinporten(instance, new ScriptedTokens([]).cache(scriptedToken(CANARY)), {
      scopes: 'a:b',
      destinations: [server.origin],
    });
    instance.interceptors.response.use((response) => {
      seen.push(deepText(response));
      return response;
    });
    await instance.get(url('/fine'));
    expect(seen).toHaveLength(2);
    expect(seen.join()).not.toContain(CANARY);
    expect(server.arrivals.at(-1)?.authorization).toContain(CANARY);
  });
});
