import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Readable } from 'node:stream';
import { maskinportenFetch } from './maskinporten-fetch.js';
import { drained, rejection, ScriptedTokens, scriptedToken } from './outbound.fixtures.js';
import { TOKEN, TwoServers } from './servers.fixtures.js';

describe('many callers with one AbortSignal', () => {
  const servers = new TwoServers();
  const warnings: string[] = [];
  const note = (warning: Error): void => void warnings.push(warning.name);
  beforeEach(() => {
    warnings.length = 0;
    process.on('warning', note);
  });
  afterEach(() => {
    process.off('warning', note);
  });

  const fetching = (): ReturnType<typeof maskinportenFetch> =>
    maskinportenFetch(new ScriptedTokens([]).cache(scriptedToken(TOKEN)), {
      scopes: 'acme:read',
      destinations: [servers.server.origin],
    });

  const WAYS: readonly (readonly [string, (signal: AbortSignal) => Promise<unknown>])[] = [
    ['axios', async (signal) => servers.attached().get(servers.server.origin, { signal })],
    [
      'axios’s fetch adapter',
      async (signal) => servers.attached({ adapter: 'fetch' }).get(servers.server.origin, { signal }),
    ],
    ['fetch', async (signal) => (await fetching()(servers.server.origin, { signal })).text()],
    [
      'a stream of axios',
      async (signal) => {
        const { data } = await servers
          .attached()
          .get<Readable>(servers.server.origin, { signal, responseType: 'stream' });
        await drained(data);
      },
    ],
    [
      'a stream of fetch',
      async (signal) => {
        const { body } = await fetching()(servers.server.origin, { signal });
        await drained(body);
      },
    ],
    ['a refused call', async (signal) => rejection(fetching()(servers.other.origin, { signal }))],
  ];

  it.each(WAYS)('%s: one listener while they run, none afterwards, and no warning', async (_name, call) => {
    const { signal } = new AbortController();
    let most = 0;
    const held: (() => void)[] = [];
    servers.server.answer = (_request, response) => {
      most = Math.max(most, getEventListeners(signal, 'abort').length);
      held.push(() => response.end('{}'));
      if (held.length === 40) for (const release of held) release();
    };
    await Promise.all(Array.from({ length: 40 }, async () => call(signal)));
    await new Promise((resolve) => setImmediate(resolve));
    expect(most).toBeLessThanOrEqual(1);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(warnings).toEqual([]);
  });

  it('all end when it fires', async () => {
    const controller = new AbortController();
    let arrived = 0;
    servers.server.answer = () => {
      arrived += 1;
      if (arrived === 24) controller.abort();
    };
    const instance = servers.attached();
    const call = fetching();
    const ended = await Promise.all(
      Array.from({ length: 24 }, async (_, index) =>
        rejection(
          index % 2 === 0
            ? instance.get(servers.server.origin, { signal: controller.signal })
            : call(servers.server.origin, { signal: controller.signal }),
        ),
      ),
    );
    expect(new Set(ended.map(({ name }) => name))).toEqual(new Set(['CanceledError', 'AbortError']));
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('what the caller gave as reason is handed back untouched', async () => {
    const controller = new AbortController();
    const reason = Object.assign(new Error('the customer left'), { details: { customer: 1 } });
    servers.server.answer = () => controller.abort(reason);
    expect(await rejection(fetching()(servers.server.origin, { signal: controller.signal }))).toBe(reason);
    expect(reason.details).toEqual({ customer: 1 });
  });
});
