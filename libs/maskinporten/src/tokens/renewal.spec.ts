import { afterEach, describe, expect, it } from '@jest/globals';
import { normaliseTokenRequest } from '../grants/index.js';
import { answer } from '../token-endpoint/strict-token-endpoint.fixtures.js';
import type { MaskinportenToken } from './index.js';
import { Gate, startService, turns, until, type ServiceBench } from './token-service.fixtures.js';

let bench: ServiceBench;
const request = normaliseTokenRequest('a');

afterEach(async () => {
  await bench.close();
});

describe('renew', () => {
  it('F-134: gives another token for one that was refused, once in five seconds', async () => {
    bench = await startService();
    const first = await bench.service.getToken('a');
    const second = await bench.service.renew(first);
    expect(second).toBeDefined();
    expect(second).not.toBe(first);
    expect(await bench.service.getToken('a')).toBe(second);
    expect(await bench.service.renew(second as MaskinportenToken)).toBeUndefined();
    bench.clock.advance(5_000);
    expect(await bench.service.renew(second as MaskinportenToken)).toBeDefined();
    expect(bench.requests()).toBe(3);
  });

  it('five hundred callers whose token was refused at the same time make one request', async () => {
    bench = await startService();
    const first = await bench.service.getToken('a');
    const renewed = await Promise.all(Array.from({ length: 500 }, () => bench.service.renew(first)));
    expect(bench.requests()).toBe(2);
    expect(new Set(renewed).size).toBe(1);
    expect(renewed[0]).not.toBe(first);
    const late = await bench.service.renew(first);
    expect(late).toBe(renewed[0]);
  });

  it.each([120, undefined])(
    'T-71: an API that refuses every token costs a handful of requests in 1,000 calls (expires_in %p)',
    async (expiresIn) => {
      bench = await startService();
      bench.server.expiresIn = expiresIn;
      let token = await bench.service.getToken('a');
      const before = bench.requests();
      for (let call = 0; call < 1_000; call += 1) {
        const next = await bench.service.renew(token);
        if (next !== undefined) token = next;
        bench.clock.advance(20);
      }
      expect(bench.requests() - before).toBeLessThanOrEqual(5);
    },
  );

  it('knows only its own tokens', async () => {
    bench = await startService();
    const other = await startService();
    const foreign = await other.service.getToken('a');
    await other.close();
    expect(await bench.service.renew(foreign)).toBeUndefined();
    bench.service.invalidate(foreign);
    expect(bench.requests()).toBe(0);
  });

  it('F-13: obeys the signal of its caller', async () => {
    bench = await startService();
    const first = await bench.service.getToken('a');
    await expect(bench.service.renew(first, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'MP_ABORTED',
    });
  });
});

describe('forceRefresh', () => {
  it('gets a new token although there is one, at most once in five seconds', async () => {
    bench = await startService();
    const first = await bench.service.getToken('a');
    const second = await bench.service.getToken('a', { forceRefresh: true });
    expect(second).not.toBe(first);
    expect(await bench.service.getToken('a', { forceRefresh: true })).toBe(second);
    expect(await bench.service.getToken('a', { forceRefresh: false })).toBe(second);
    bench.clock.advance(5_000);
    expect(await bench.service.getToken('a', { forceRefresh: true })).not.toBe(second);
    expect(bench.requests()).toBe(3);
  });

  it('T-66: is not switched on by a polluted prototype', async () => {
    bench = await startService();
    const first = await bench.service.getToken('a');
    const polluted = Object.prototype as unknown as Record<string, unknown>;
    Object.assign(polluted, { forceRefresh: true, signal: AbortSignal.abort() });
    try {
      expect(await bench.service.getToken('a', {})).toBe(first);
    } finally {
      Reflect.deleteProperty(Object.prototype, 'forceRefresh');
      Reflect.deleteProperty(Object.prototype, 'signal');
    }
  });
});

describe('invalidate', () => {
  it('wins over a refresh that is under way: its token goes to nobody who asks afterwards', async () => {
    bench = await startService();
    const first = await bench.service.getToken('a');
    const gate = new Gate(bench.server.grant);
    bench.server.script = [gate.hold];
    bench.clock.advance(80_000);
    bench.service.peek(request);
    await until(() => gate.held === 1);
    bench.service.invalidate(first);
    expect(bench.service.peek(request)).toBeUndefined();
    const fresh = await bench.service.getToken('a');
    gate.release();
    await until(() => bench.count('token-obtained') === 3);
    expect(bench.service.peek(request)).toBe(fresh);
  });

  it('leaves those who wait for the flight their token, and a failure of it does not count against the next', async () => {
    bench = await startService();
    const first = await bench.service.getToken('a');
    const gate = new Gate(answer(200, '<html>'));
    bench.server.script = [gate.hold];
    const forced = bench.service.getToken('a', { forceRefresh: true }).catch((error: unknown) => error);
    await until(() => gate.held === 1);
    bench.service.invalidate(first);
    gate.release();
    expect(await forced).toMatchObject({ code: 'MP_PROTOCOL' });
    await expect(bench.service.getToken('a')).resolves.toHaveProperty('value');
  });

  it('is about one token: an older one takes nothing away, and twice is once', async () => {
    bench = await startService();
    const first = await bench.service.getToken('a');
    bench.service.invalidate(first);
    const waiting = Array.from({ length: 10 }, () => {
      bench.service.invalidate(first);
      return bench.service.getToken('a');
    });
    const [second] = await Promise.all(waiting);
    bench.service.invalidate(first);
    expect(bench.service.peek(request)).toBe(second);
    expect(bench.requests()).toBe(2);
  });
});

describe('exchanged tokens', () => {
  let exchanges: string[];
  const start = async (answers: readonly (() => unknown)[] = []): Promise<void> => {
    exchanges = [];
    const rest = [...answers];
    bench = await startService({
      exchanger: {
        exchange: async (token) => {
          exchanges.push(token.value);
          const next = rest.shift();
          return (
            next === undefined ? { value: `altinn-${exchanges.length}`, expiresInSeconds: 1_800 } : await next()
          ) as never;
        },
      },
    });
  };
  const exchanged = { scopes: 'a', exchange: 'altinn' } as const;
  const caught = (): Promise<unknown> => bench.service.getToken(exchanged).catch((error: unknown) => error);

  it('F-87: are cached by their own life, apart from the token they came from', async () => {
    await start();
    const token = await bench.service.getToken(exchanged);
    const base = await bench.service.getToken('a');
    expect(exchanges).toEqual([base.value]);
    expect(token).toMatchObject({ value: 'altinn-1', scopes: ['a'], jti: base.jti, kid: base.kid });
    expect(token.expiresAt.getTime() - bench.clock.wall).toBe(1_800_000);
    bench.clock.advance(800_000);
    expect(await bench.service.getToken(exchanged)).toBe(token);
    expect(bench.requests()).toBe(1);
  });

  it('share one exchange, refreshed in the background', async () => {
    await start();
    const tokens = await Promise.all(Array.from({ length: 100 }, () => bench.service.getToken(exchanged)));
    expect(new Set(tokens).size).toBe(1);
    bench.clock.advance(1_200_000);
    expect(await bench.service.getToken(exchanged)).toBe(tokens[0]);
    await until(() => exchanges.length === 2);
    await turns();
    expect((await bench.service.getToken(exchanged)).value).toBe('altinn-2');
  });

  it('fall with the token they came from when they are refused', async () => {
    await start();
    const token = await bench.service.getToken(exchanged);
    expect(await bench.service.renew(token)).toHaveProperty('value', 'altinn-2');
    expect(bench.requests()).toBe(2);
    bench.clock.advance(120_000);
    bench.service.invalidate(await bench.service.getToken(exchanged));
    expect(await bench.service.getToken(exchanged)).toHaveProperty('value', 'altinn-3');
  });

  it.each([
    [{ value: 'a b', expiresInSeconds: 1 }],
    [{ value: 'CANARY\r\nx', expiresInSeconds: 1 }],
    [{ value: '', expiresInSeconds: 1 }],
    [{ value: 'a', expiresInSeconds: 0 }],
    [{ value: 'a', expiresInSeconds: Number.NaN }],
    [{ value: 'a', expiresInSeconds: Infinity }],
  ])('T-32, T-64: %j is no token', async (answered) => {
    await start([() => answered]);
    const error = await caught();
    expect(error).toMatchObject({ code: 'MP_PROTOCOL', failures: [{ field: 'exchange' }] });
    expect(JSON.stringify(error)).not.toContain('CANARY');
  });

  it('fall alone when the token they came from is gone already', async () => {
    await start();
    const token = await bench.service.getToken(exchanged);
    bench.service.invalidate(await bench.service.getToken('a'));
    bench.service.invalidate(token);
    expect(await bench.service.getToken(exchanged)).toHaveProperty('value', 'altinn-2');
    expect(bench.requests()).toBe(2);
  });

  it('T-64: live an hour at most', async () => {
    await start([() => ({ value: 'a', expiresInSeconds: 1e9 })]);
    const token = await bench.service.getToken(exchanged);
    expect(token.expiresAt.getTime() - bench.clock.wall).toBe(3_600_000);
  });

  it('a foreign error becomes one of ours and shows nothing', async () => {
    await start([() => Promise.reject(new Error('CANARY'))]);
    const error = await caught();
    expect(error).toMatchObject({ code: 'MP_PROTOCOL' });
    expect(String(error)).not.toContain('CANARY');
  });

  it('need an exchange to have been configured', async () => {
    bench = await startService();
    await expect(bench.service.getToken(exchanged)).rejects.toMatchObject({
      code: 'MP_REQUEST',
      failures: [{ field: 'exchange' }],
    });
    expect(bench.requests()).toBe(0);
  });
});
