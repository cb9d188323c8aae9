import type { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import axios, { AxiosError } from 'axios';
import { rejection, ScriptedTokens, scriptedToken } from './outbound.fixtures.js';
import { TwoServers } from './servers.fixtures.js';

describe('time and size', () => {
  const servers = new TwoServers();

  it('F-131: a token that died while it was waited for is replaced before it is sent', async () => {
    const tokens = new ScriptedTokens([scriptedToken('dying', 1_000), scriptedToken('fresh')]);
    await servers.attached({}, {}, tokens).get(servers.server.origin);
    expect(servers.server.arrivals.map(({ authorization }) => authorization)).toEqual(['Bearer fresh']);
  });

  it('F-131: refuses the call when every token has less than two seconds left', async () => {
    const tokens = new ScriptedTokens([scriptedToken('dying', 1_000), scriptedToken('dead', -1_000)]);
    expect(await rejection(servers.attached({}, {}, tokens).get(servers.server.origin))).toMatchObject({
      code: 'MP_TIMEOUT',
    });
    expect(servers.server.arrivals).toHaveLength(0);
  });

  it('ends a call whose answer drips, at the deadline', async () => {
    servers.drip();
    const error = await rejection(servers.attached({}, { deadlineMs: 150 }).get(servers.server.origin));
    expect(error).toBeInstanceOf(AxiosError);
    expect(error).toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('ends the wait for a token at the deadline, when the caller gives up, and when an Observable is unsubscribed', async () => {
    const waiting = new ScriptedTokens([]);
    waiting.getToken = async (_request: unknown, options?: { signal?: AbortSignal }): Promise<never> =>
      new Promise((_resolve, reject) => {
        options?.signal?.addEventListener('abort', () => reject(new Error('stopped waiting')));
      });
    expect(await rejection(servers.attached({}, { deadlineMs: 50 }, waiting).get(servers.server.origin))).toMatchObject(
      {
        code: 'ETIMEDOUT',
      },
    );
    const controller = new AbortController();
    const aborted = rejection(
      servers.attached({}, {}, waiting).get(servers.server.origin, { signal: controller.signal }),
    );
    controller.abort();
    expect(await aborted).toMatchObject({ code: 'ERR_CANCELED' });
    const source = axios.CancelToken.source();
    const cancelled = rejection(
      servers.attached({}, {}, waiting).get(servers.server.origin, { cancelToken: source.token }),
    );
    source.cancel();
    expect(await cancelled).toMatchObject({ code: 'ERR_CANCELED' });
  });

  it('T-46: one aborted call leaves the others alone', async () => {
    const held: (() => void)[] = [];
    servers.server.answer = (_request, response) => {
      held.push(() => response.end('{}'));
      if (held.length === 10) for (const release of held) release();
    };
    const instance = servers.attached();
    const controller = new AbortController();
    const abandoned = rejection(instance.get(servers.server.origin, { signal: controller.signal }));
    const others = Array.from({ length: 9 }, async () => instance.get(servers.server.origin));
    controller.abort();
    expect(await abandoned).toMatchObject({ code: 'ERR_CANCELED' });
    held.push(() => undefined);
    if (held.length >= 10) for (const release of held) release();
    for (const { status } of await Promise.all(others)) expect(status).toBe(200);
  });

  it('T-63: limits the decoded size of an answer, unless the call sets its own limit', async () => {
    servers.server.answer = (_request, response) => response.end('x'.repeat(5_000));
    const instance = servers.attached({}, { maxResponseBytes: 1_000 });
    expect(await rejection(instance.get(servers.server.origin))).toMatchObject({ code: 'ERR_BAD_RESPONSE' });
    expect((await instance.get(servers.server.origin, { maxContentLength: 10_000 })).status).toBe(200);
  });

  it('lets a stream run longer than the deadline, and go when the reader goes', async () => {
    const gone = new Promise<void>((resolve) => servers.drip(resolve));
    const begunMs = performance.now();
    const { data } = await servers
      .attached({}, { deadlineMs: 2_000 })
      .get<Readable>(servers.server.origin, { responseType: 'stream' });
    let afterDeadline = 0;
    for await (const chunk of data) {
      if (performance.now() > begunMs + 2_000) afterDeadline += (chunk as Buffer).length;
      if (afterDeadline > 3) break;
    }
    await gone;
    expect(afterDeadline).toBeGreaterThan(3);
  });
});
