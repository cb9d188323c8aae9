import { afterEach, describe, expect, it } from '@jest/globals';
import { normaliseTokenRequest } from '../grants/index.js';
import { answer, refusal } from '../token-endpoint/strict-token-endpoint.fixtures.js';
import { Gate, startService, turns, until, type ServiceBench } from './token-service.fixtures.js';

let bench: ServiceBench;
const request = normaliseTokenRequest('a');
/** Asks and waits until a refresh that may have been started has ended. */
async function ask(): Promise<string | undefined> {
  const value = bench.service.peek(request)?.value;
  await turns();
  await until(() => bench.service.status.connections.inUse === 0);
  return value;
}

afterEach(async () => {
  await bench.close();
});

describe('the life of a token', () => {
  it.each([
    [119, 114_000],
    ['119', 114_000],
    [30, 25_000],
    [5, 4_000],
    [3_600, 3_595_000],
    [7_200, 3_595_000],
    [0.5, 400],
  ])('T-64: expires_in %j is usable for %i ms', async (expiresIn, usableMs) => {
    bench = await startService({ tokens: { refreshAt: [0.99, 0.99] } });
    bench.server.expiresIn = expiresIn;
    const token = await bench.service.getToken('a');
    expect(token.expiresAt.getTime() - bench.clock.wall).toBeGreaterThan(usableMs);
    expect(token.expiresAt.getTime() - bench.clock.wall).toBeLessThanOrEqual(3_600_000);
    bench.clock.advance(usableMs - 1);
    expect(bench.service.peek(request)).toBe(token);
    bench.clock.advance(1);
    expect(bench.service.peek(request)).toBeUndefined();
  });

  it('T-64: a token with no promise is handed to those who wait, once, and not kept', async () => {
    bench = await startService();
    bench.server.expiresIn = undefined;
    const [first, second] = await Promise.all([bench.service.getToken('a'), bench.service.getToken('a')]);
    expect(first).toBe(second);
    expect(bench.service.cachedTokens).toBe(0);
    expect(first.expiresAt.getTime() - bench.clock.wall).toBe(30_000);
    expect(await bench.service.getToken('a')).not.toBe(first);
    expect(bench.events.find(({ type }) => type === 'token-obtained')).not.toHaveProperty('expiresInSeconds');
  });

  it('begins before the request is sent: a slow answer shortens it', async () => {
    bench = await startService();
    const gate = new Gate(bench.server.grant);
    bench.server.always = gate.hold;
    const waiting = bench.service.getToken('a');
    await until(() => gate.held === 1);
    const start = bench.clock.wall;
    bench.clock.advance(7_000);
    gate.release();
    expect((await waiting).expiresAt.getTime()).toBe(start + 120_000);
    bench.clock.advance(115_000 - 7_000);
    expect(bench.service.peek(request)).toBeUndefined();
  });

  it('F-131: a token that was usable no longer when it came is not cached, and one that had ended is not given', async () => {
    bench = await startService();
    bench.server.expiresIn = 5;
    const late = async (ms: number): Promise<unknown> => {
      const gate = new Gate(bench.server.grant);
      bench.server.script = [gate.hold];
      const waiting = bench.service.getToken('a').catch((error: unknown) => error);
      await until(() => gate.held === 1);
      bench.clock.advance(ms);
      gate.release();
      return waiting;
    };
    expect(await late(4_500)).toHaveProperty('value');
    expect(bench.service.cachedTokens).toBe(0);
    expect(await late(5_000)).toMatchObject({ code: 'MP_TIMEOUT', retryable: true });
    expect(bench.service.cachedTokens).toBe(0);
  });

  it('F-102: the wall clock jumps forward: a new token, nothing worse', async () => {
    bench = await startService();
    const old = await bench.service.getToken('a');
    bench.clock.wall += 3_600_000;
    const fresh = await bench.service.getToken('a');
    expect(fresh).not.toBe(old);
    expect(bench.service.peek(request)).toBe(fresh);
  });

  it('F-103: the wall clock jumps back: the monotonic clock ends the token all the same', async () => {
    bench = await startService();
    const token = await bench.service.getToken('a');
    bench.clock.wall -= 3_600_000;
    expect(bench.service.peek(request)).toBe(token);
    bench.clock.monotonic += 115_000;
    expect(bench.service.peek(request)).toBeUndefined();
  });

  it('F-104: the machine slept and the monotonic clock with it: the wall clock ends the token', async () => {
    bench = await startService();
    await bench.service.getToken('a');
    bench.clock.wall += 115_000;
    expect(bench.service.peek(request)).toBeUndefined();
  });
});

describe('background refresh', () => {
  it.each([
    [0, 60_000],
    [0.5, 75_000],
    [0.999_999, 89_999],
  ])(
    'begins between half and three quarters of the life (random %d: after %i ms), and nobody waits',
    async (random, ms) => {
      bench = await startService({ random: () => random });
      const first = (await bench.service.getToken('a')).value;
      bench.clock.advance(ms - 1);
      expect(await ask()).toBe(first);
      expect(bench.requests()).toBe(1);
      bench.clock.advance(2);
      const gate = new Gate(bench.server.grant);
      bench.server.always = gate.hold;
      const hundred = await Promise.all(Array.from({ length: 100 }, () => bench.service.getToken('a')));
      expect(hundred.map(({ value }) => value)).toEqual(Array.from({ length: 100 }, () => first));
      await until(() => gate.held === 1);
      gate.release();
      await until(() => bench.count('token-obtained') === 2);
      expect(await ask()).not.toBe(first);
      expect(bench.requests()).toBe(2);
      expect(bench.service.status.counts.refreshes).toBe(1);
    },
  );

  it('is for tokens that are used: an idle one costs nothing', async () => {
    bench = await startService();
    await bench.service.getToken('a');
    bench.clock.advance(3_600_000);
    await turns();
    expect(bench.requests()).toBe(1);
  });

  it.each([5, 7_200])('works for tokens of %i seconds: nobody waits while they are used', async (expiresIn) => {
    bench = await startService();
    bench.server.expiresIn = expiresIn;
    await bench.service.getToken('a');
    for (let step = 0; step < 60; step += 1) {
      bench.clock.advance(Math.min(expiresIn, 3_600) * 50);
      expect(bench.service.peek(request)).toBeDefined();
      await until(() => bench.count('token-obtained') === 1 + bench.service.status.counts.refreshes);
    }
    expect(bench.requests()).toBeLessThan(7);
  });

  it('F-132: a failed refresh is an event, hurts nobody, and is repeated after a part of the life', async () => {
    bench = await startService();
    const { value } = await bench.service.getToken('a');
    bench.server.always = refusal(undefined, 'invalid_request');
    bench.clock.advance(80_000);
    expect(await ask()).toBe(value);
    await until(() => bench.count('token-refused') === 1);
    await ask();
    expect(bench.requests()).toBe(2);
    bench.clock.advance(6_000);
    await ask();
    // The refusal is permanent, so it is remembered also while there is a usable token.
    expect(bench.requests()).toBe(2);
    bench.server.always = undefined;
    bench.clock.advance(24_000);
    expect(await ask()).toBe(value);
    await until(() => bench.count('token-obtained') === 2);
    expect(await ask()).not.toBe(value);
  });

  it('F-132: outages are asked about again, until the token ends and not a moment longer', async () => {
    bench = await startService({ random: () => 0 });
    const { value } = await bench.service.getToken('a');
    bench.server.always = answer(503, '');
    for (let second = 0; second < 115; second += 1) {
      expect(await ask()).toBe(value);
      bench.clock.advance(1_000);
    }
    expect(bench.service.peek(request)).toBeUndefined();
    await expect(bench.service.getToken('a')).rejects.toMatchObject({ code: 'MP_UPSTREAM' });
    expect(bench.requests()).toBeGreaterThan(4);
    expect(bench.requests()).toBeLessThan(60);
  });

  it('a caller who finds the token ended joins the refresh, with a deadline of its own', async () => {
    bench = await startService({ retry: { deadlineMs: 2_000 } });
    await bench.service.getToken('a');
    const gate = new Gate(bench.server.grant);
    bench.server.always = gate.hold;
    bench.clock.advance(90_000);
    bench.service.peek(request);
    await until(() => gate.held === 1);
    bench.clock.advance(30_000);
    await expect(bench.service.getToken('a')).rejects.toMatchObject({ code: 'MP_TIMEOUT' });
    const waiting = bench.service.getToken('a');
    gate.release();
    await expect(waiting).resolves.toHaveProperty('value');
    expect(bench.requests()).toBe(2);
  });
});
