import type { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { AxiosRequestConfig } from 'axios';
import { maskinportenFetch, type FetchDefaults, type MaskinportenFetch } from './maskinporten-fetch.js';
import { gate, rejection, ScriptedTokens, scriptedToken } from './outbound.fixtures.js';
import { TOKEN, TwoServers } from './servers.fixtures.js';

const SIZE = 21 * 1024 * 1024;
const NO_LIMIT = [0, -1, Infinity] as const;

async function lengthOf(body: unknown): Promise<number> {
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) length += chunk.byteLength;
  return length;
}

describe('F-146: streamed answers', () => {
  const servers = new TwoServers();
  /** Answers with `size` bytes, a megabyte at a time, as fast as they are read. */
  const large = (size: number, headers: Record<string, string> = {}): void => {
    servers.server.answer = (_request, response) => {
      response.writeHead(200, headers);
      let left = size;
      const write = (): void => {
        while (left > 0) {
          const part = Math.min(left, 1024 * 1024);
          left -= part;
          if (!response.write(Buffer.alloc(part))) {
            response.once('drain', write);
            return;
          }
        }
        response.end();
      };
      write();
    };
  };
  const calling = (defaults: FetchDefaults = {}): MaskinportenFetch =>
    maskinportenFetch(new ScriptedTokens([]).cache(scriptedToken(TOKEN)), {
      scopes: 'acme:read',
      destinations: [servers.server.origin],
      ...defaults,
    });
  const bufferedLength = async (config: AxiosRequestConfig, defaults: object): Promise<number> =>
    ((await get({ responseType: 'arraybuffer', ...config }, defaults)) as Buffer).byteLength;
  const get = async (config: AxiosRequestConfig, defaults: object = {}): Promise<unknown> =>
    (await servers.attached({}, defaults).get<unknown>(servers.server.origin, config)).data;

  it.each(['http', 'fetch'] as const)('have no limit through axios’s %s adapter', async (adapter) => {
    large(SIZE);
    expect(await lengthOf(await get({ adapter, responseType: 'stream' }))).toBe(SIZE);
    large(5_000);
    expect(await lengthOf(await get({ adapter, responseType: 'stream' }, { maxResponseBytes: 1_000 }))).toBe(5_000);
  });

  it('have no limit through fetch, however they are read', async () => {
    large(SIZE);
    expect(await lengthOf((await calling()(servers.server.origin)).body)).toBe(SIZE);
    large(5_000);
    const call = calling({ maxResponseBytes: 1_000 });
    expect(await lengthOf((await call(servers.server.origin)).body)).toBe(5_000);
    expect(await lengthOf((await call(servers.server.origin)).clone().body)).toBe(5_000);
    const reader = (await call(servers.server.origin)).body?.getReader();
    let length = 0;
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read())
      length += part.value.length;
    expect(length).toBe(5_000);
  });

  it('run on after the deadline, through axios and through fetch; what is buffered does not', async () => {
    for (const read of [
      async () => get({ adapter: 'fetch', responseType: 'stream' }, { deadlineMs: 100 }),
      async () => (await calling({ deadlineMs: 100 })(servers.server.origin)).body,
    ]) {
      const closed = gate();
      servers.drip(closed.open);
      let received = 0;
      for await (const chunk of (await read()) as AsyncIterable<Uint8Array>) {
        received += chunk.byteLength;
        if (received > 12) break;
      }
      expect(received).toBeGreaterThan(12);
      await closed.opened;
    }
    expect(await rejection((await calling({ deadlineMs: 100 })(servers.server.origin)).json())).toMatchObject({
      name: 'TimeoutError',
    });
  });

  it.each(NO_LIMIT)(
    '%p means no limit: maxContentLength of the call, maxResponseBytes and deadlineMs',
    async (none) => {
      large(5_000);
      const limited = { maxResponseBytes: 1_000 };
      expect(await bufferedLength({ maxContentLength: none }, limited)).toBe(5_000);
      expect(await bufferedLength({ maxContentLength: none, adapter: 'fetch' }, limited)).toBe(5_000);
      expect(await bufferedLength({}, { maxResponseBytes: none, deadlineMs: none })).toBe(5_000);
      expect(
        (await (await calling({ maxResponseBytes: none, deadlineMs: none })(servers.server.origin)).text()).length,
      ).toBe(5_000);
    },
  );

  it('what is buffered is limited, and the message names the setting', async () => {
    large(5_000);
    for (const adapter of ['http', 'fetch'] as const) {
      expect(await rejection(get({ adapter }, { maxResponseBytes: 1_000 }))).toMatchObject({
        code: 'ERR_BAD_RESPONSE',
        message: 'the answer is larger than 1000 bytes, the limit set by maxResponseBytes',
      });
      expect(await rejection(get({ adapter, maxContentLength: 2_000 }, { maxResponseBytes: 1_000 }))).toMatchObject({
        message: 'the answer is larger than 2000 bytes, the limit set by maxContentLength',
      });
    }
    for (const read of ['text', 'json', 'arrayBuffer', 'blob'] as const) {
      const response = await calling({ maxResponseBytes: 1_000 })(servers.server.origin);
      expect((await rejection(response[read]())).message).toBe(
        'the answer is larger than 1000 bytes, the limit set by maxResponseBytes',
      );
    }
    const clone = (await calling({ maxResponseBytes: 1_000 })(servers.server.origin)).clone();
    expect((await rejection(clone.text())).message).toContain('maxResponseBytes');
  });

  it.each(['http', 'fetch'] as const)('are limited when the call says so, through the %s adapter', async (adapter) => {
    large(5_000);
    const stream = await get({ adapter, responseType: 'stream', maxContentLength: 1_000 });
    expect((await rejection(lengthOf(stream))).message).toContain('1000 bytes, the limit set by maxContentLength');
    // What is declared too large fails before the first byte.
    large(5_000, { 'content-length': '5000' });
    const declared = await rejection(get({ adapter, responseType: 'stream', maxContentLength: 1_000 }));
    expect(declared.message).toContain('1000 bytes, the limit set by maxContentLength');
    expect(await lengthOf(await get({ adapter, responseType: 'stream', maxContentLength: 5_000 }))).toBe(5_000);
  });

  it('a buffered answer of fetch is read as ever: once, with its headers and its type', async () => {
    servers.server.answer = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":1}');
    const response = await calling()(servers.server.origin);
    const copy = response.clone();
    expect([response.bodyUsed, await response.json(), response.bodyUsed]).toEqual([false, { a: 1 }, true]);
    expect((await rejection(response.text())).name).toBe('TypeError');
    expect((await copy.blob()).type).toBe('application/json');
    expect(response.url).toBe(`${servers.server.origin}/`);
  });

  it('a stream can be piped on by Node', async () => {
    large(5_000);
    const stream = (await get({ responseType: 'stream' })) as Readable;
    expect(typeof stream.pipe).toBe('function');
    expect(await lengthOf(stream)).toBe(5_000);
  });
});
