import { afterEach, describe, expect, it } from '@jest/globals';
import { AsyncLocalStorage } from 'node:async_hooks';
import { normaliseTokenRequest } from '../grants/index.js';
import { answer, refusal } from '../token-endpoint/strict-token-endpoint.fixtures.js';
import { Gate, startService, turns, until, type ServiceBench } from './token-service.fixtures.js';

let bench: ServiceBench;
const caught = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

afterEach(async () => {
  await bench.close();
});

describe('single flight', () => {
  it('a thousand cold callers make one request and share its token', async () => {
    bench = await startService();
    const tokens = await Promise.all(Array.from({ length: 1_000 }, () => bench.service.getToken(['a:b', 'c:d'])));
    expect(bench.requests()).toBe(1);
    expect(new Set(tokens).size).toBe(1);
    expect(await bench.service.getToken('c:d a:b')).toBe(tokens[0]);
    expect(bench.service.status.counts).toMatchObject({ hits: 1, waits: 1_000 });
  });

  it('different claims make different requests, at the same time', async () => {
    bench = await startService();
    const systemUser = { organisation: '310000027' };
    const inputs = [
      'a',
      'b',
      { scopes: 'a', consumerOrg: '310000027' },
      { scopes: 'a', systemUser },
      { scopes: 'a', resource: 'urn:x' },
    ];
    const tokens = await Promise.all(inputs.map((input) => bench.service.getToken(input)));
    expect(new Set(tokens.map(({ value }) => value)).size).toBe(inputs.length);
  });

  it('a failure is shared: at most the attempt budget, the same kind of error for all, an object of its own for each', async () => {
    bench = await startService({ random: () => 0 });
    bench.server.always = answer(503, '');
    const errors = await Promise.all(Array.from({ length: 1_000 }, () => caught(bench.service.getToken('a'))));
    expect(bench.requests()).toBe(3);
    for (const error of errors) expect(error).toMatchObject({ code: 'MP_UPSTREAM', attempts: 3, scopes: ['a'] });
    expect(new Set(errors).size).toBe(1_000);
    Object.assign(errors[0] as Error, { stack: 'written on', requestId: 'of one caller' });
    expect(errors[1]).not.toHaveProperty('requestId');
    expect((errors[1] as Error).stack).not.toBe('written on');
  });

  it('a failure is not kept once it has passed', async () => {
    bench = await startService({ random: () => 0 });
    bench.server.script = [answer(503, ''), answer(503, ''), answer(503, '')];
    await expect(bench.service.getToken('a')).rejects.toMatchObject({ code: 'MP_UPSTREAM' });
    bench.clock.advance(1_000);
    await expect(bench.service.getToken('a')).resolves.toHaveProperty('value');
  });

  it('T-46: an abort ends the wait of one caller and nothing else', async () => {
    bench = await startService();
    const gate = new Gate(bench.server.grant);
    bench.server.always = gate.hold;
    const callers = Array.from({ length: 50 }, () => new AbortController());
    const waiting = callers.map((caller) => caught(bench.service.getToken('a', { signal: caller.signal })));
    await until(() => gate.held === 1);
    callers.forEach((caller, index) => index % 2 === 0 && caller.abort());
    const left = await Promise.all(waiting.filter((_, index) => index % 2 === 0));
    for (const error of left) expect(error).toMatchObject({ code: 'MP_ABORTED', category: 'aborted' });
    gate.release();
    const rest = await Promise.all(waiting.filter((_, index) => index % 2 === 1));
    for (const token of rest) expect(token).toHaveProperty('value');
    expect(bench.requests()).toBe(1);
  });

  it('T-46: a flight that everybody has left finishes and is cached', async () => {
    bench = await startService();
    const gate = new Gate(bench.server.grant);
    bench.server.always = gate.hold;
    const caller = new AbortController();
    const waiting = caught(bench.service.getToken('a', { signal: caller.signal }));
    await until(() => gate.held === 1);
    caller.abort();
    expect(await waiting).toMatchObject({ code: 'MP_ABORTED' });
    gate.release();
    await until(() => bench.service.cachedTokens === 1);
    await expect(bench.service.getToken('a')).resolves.toHaveProperty('value');
    expect(bench.requests()).toBe(1);
  });

  it('F-13: a caller that has left already gets nothing, even if the token is there, and nothing is sent', async () => {
    bench = await startService();
    const signal = AbortSignal.abort();
    await expect(bench.service.getToken('a', { signal })).rejects.toMatchObject({ code: 'MP_ABORTED' });
    await turns();
    expect(bench.requests()).toBe(0);
    await bench.service.getToken('a');
    await expect(bench.service.getToken('a', { signal })).rejects.toMatchObject({ code: 'MP_ABORTED' });
  });

  it('leaves no listener on the signal of a caller', async () => {
    bench = await startService();
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    await bench.service.getToken('a', { signal });
    bench.server.always = refusal('MP-250', 'forbidden', 403);
    await caught(bench.service.getToken('b', { signal }));
    expect(listeners).toBe(0);
  });

  it('T-49: a failure that nobody waits for is no unhandled rejection', async () => {
    bench = await startService({ random: () => 0 });
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', onUnhandled);
    try {
      const caller = new AbortController();
      bench.server.always = refusal('MP-200', 'invalid_scope');
      const waiting = caught(bench.service.getToken('a', { signal: caller.signal }));
      caller.abort();
      await waiting;
      await until(() => bench.count('token-refused') === 1);
      await bench.service.getToken('').catch(() => undefined);
      await turns();
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', onUnhandled);
    }
  });

  it('a malformed request rejects and sends nothing', async () => {
    bench = await startService();
    await expect(bench.service.getToken({ scopes: [] })).rejects.toMatchObject({ code: 'MP_REQUEST' });
    expect(bench.requests()).toBe(0);
  });
});

describe('T-44, T-45: the context of the callers', () => {
  it('is not seen by the flight, its events, or what the flight leaves behind', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    bench = await startService({ onEvent: () => seen.push(storage.getStore()) });
    bench.server.script = [answer(503, '')];
    await storage.run('caller 1', () => bench.service.getToken('a'));
    bench.clock.advance(80_000);
    storage.run('caller 2', () => bench.service.peek(normaliseTokenRequest('a')));
    await until(() => bench.requests() === 3);
    await turns();
    expect(seen.length).toBeGreaterThanOrEqual(3);
    expect(new Set(seen)).toEqual(new Set([undefined]));
  });

  it('is kept for each caller that waits', async () => {
    const storage = new AsyncLocalStorage<number>();
    bench = await startService();
    const after = await Promise.all(
      Array.from({ length: 20 }, (_, caller) =>
        storage.run(caller, async () => {
          await bench.service.getToken('a', { signal: new AbortController().signal });
          return storage.getStore();
        }),
      ),
    );
    expect(after).toEqual(Array.from({ length: 20 }, (_, caller) => caller));
  });
});
