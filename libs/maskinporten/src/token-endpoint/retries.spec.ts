import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { normaliseTokenRequest } from '../grants/index.js';
import { Demand } from './index.js';
import { answer, refusal, reset, silence, type Misbehaviour } from './strict-token-endpoint.fixtures.js';
import { startBench, type Bench } from './token-endpoint.fixtures.js';

const request = normaliseTokenRequest('a:b');
let bench: Bench;
const fetchToken = (background = false, demand = new Demand('interactive', background)): Promise<unknown> =>
  bench.endpoint.fetchToken(request, demand).catch((error: unknown) => error);
const busy = answer(503, '');
/** An hour ahead or behind would be refused; these are noticed and corrected. */
const MINUTE = 60_000;

afterEach(async () => {
  await bench.close();
});

describe('retries', () => {
  it('a fault that passes costs attempts and nothing else', async () => {
    bench = await startBench();
    bench.server.script = [busy, busy];
    expect(await fetchToken()).toMatchObject({ attempts: 3, accessToken: expect.any(String) });
    expect(bench.endpoint.circuitState('plain')).toBe('closed');
  });

  it('F-05: an idle connection that the server had closed is tried again at once and is no attempt', async () => {
    bench = await startBench({ retry: { attempts: 1 } });
    await fetchToken();
    bench.server.script = [reset];
    expect(await fetchToken()).toMatchObject({ attempts: 1, accessToken: expect.any(String) });
    expect(bench.server.grants).toHaveLength(3);
    expect(bench.events).toEqual([expect.objectContaining({ type: 'attempt-failed', attempt: 1, willRetry: true })]);
  });

  it('F-05: only once per operation', async () => {
    bench = await startBench({ retry: { attempts: 1 }, maxConnections: 2 });
    await Promise.all([fetchToken(), fetchToken()]);
    bench.server.always = reset;
    expect(await fetchToken()).toMatchObject({ code: 'MP_NETWORK', attempts: 1 });
    expect(bench.server.grants).toHaveLength(4);
  });

  it('F-56: a used grant is repeated once, with another jti, within the budget', async () => {
    bench = await startBench();
    bench.server.script = [refusal('MP-012')];
    expect(await fetchToken()).toMatchObject({ attempts: 2, accessToken: expect.any(String) });
    expect(new Set(bench.server.jtis).size).toBe(2);
  });

  it.each([
    [-MINUTE, 'behind'],
    [2 * MINUTE + 1, 'ahead'],
    [4 * MINUTE, 'ahead'],
  ])('F-57, F-100, F-101: a server %i ms off is met with its own time, once', async (offsetMs) => {
    bench = await startBench();
    bench.server.offsetMs = offsetMs;
    expect(await fetchToken()).toMatchObject({ attempts: 2, accessToken: expect.any(String) });
    const [, corrected] = bench.server.grants;
    expect(Math.abs(Number(corrected?.claims.iat) * 1000 - bench.clock.wall - offsetMs)).toBeLessThan(2_000);
    expect(bench.events.filter(({ type }) => type === 'clock-offset')).toHaveLength(1);
    expect(await fetchToken()).toMatchObject({ attempts: 1 });
    expect(bench.events.filter(({ type }) => type === 'clock-offset')).toHaveLength(1);
  });

  it('F-57: not a second time when the corrected clock does not help', async () => {
    bench = await startBench();
    bench.server.offsetMs = MINUTE;
    bench.server.always = refusal('MP-130');
    expect(await fetchToken()).toMatchObject({ code: 'MP_CLOCK', attempts: 2 });
  });

  it('F-101: an offset of more than five minutes is not believed', async () => {
    bench = await startBench();
    bench.server.offsetMs = 6 * MINUTE;
    expect(await fetchToken()).toMatchObject({ code: 'MP_CLOCK', attempts: 1 });
    expect(bench.events).toContainEqual({ type: 'clock-offset', offsetMs: expect.any(Number) });
  });

  it('all kinds of retries together stay within the attempts', async () => {
    bench = await startBench();
    bench.server.offsetMs = MINUTE;
    bench.server.script = [busy, refusal('MP-012'), refusal('MP-130')];
    expect(await fetchToken()).toMatchObject({ code: 'MP_CLOCK', attempts: 3 });
  });

  it.each([
    [{ attempts: 1 }, 1],
    [{ attempts: 2 }, 2],
    [{ attempts: undefined as unknown as number }, 3],
    [undefined, 3],
  ])('%j means %i attempts, also in the background', async (retry, attempts) => {
    bench = await startBench(retry === undefined ? {} : { retry });
    bench.server.always = busy;
    expect(await fetchToken()).toMatchObject({ attempts });
    bench.clock.advance(60_000);
    expect(await fetchToken(true)).toMatchObject({ attempts });
  });

  it('F-38: waits as long as the server says when it fits', async () => {
    bench = await startBench();
    bench.server.script = [answer(429, '', { 'retry-after': '0' })];
    expect(await fetchToken()).toMatchObject({ attempts: 2, accessToken: expect.any(String) });
  });

  it('F-38, S-21: fails at once when it does not fit, and stays away until then, at most 60 s', async () => {
    bench = await startBench();
    bench.server.always = answer(429, '', { 'retry-after': '3600' });
    expect(await fetchToken()).toMatchObject({ code: 'MP_THROTTLED', attempts: 1, retryAfterMs: 60_000 });
    bench.clock.advance(59_000);
    expect(await fetchToken()).toMatchObject({ code: 'MP_THROTTLED', attempts: 0, retryAfterMs: 1_000 });
    expect(bench.server.grants).toHaveLength(1);
    bench.server.always = undefined;
    bench.clock.advance(1_000);
    expect(await fetchToken()).toHaveProperty('accessToken');
  });

  it('F-38: understands a date by the clock of the server', async () => {
    bench = await startBench();
    const later = new Date(bench.clock.wall + 30_000).toUTCString();
    bench.server.always = answer(503, '', { 'retry-after': later });
    expect(await fetchToken()).toMatchObject({ code: 'MP_UPSTREAM', attempts: 1, retryAfterMs: expect.any(Number) });
  });

  it('the quota dries up when everything fails, and fills with time and success', async () => {
    bench = await startBench();
    bench.server.always = busy;
    const attempts: unknown[] = [];
    for (let operation = 0; operation < 8; operation += 1) {
      attempts.push(await fetchToken());
      bench.clock.monotonic += 1_000;
      while (bench.endpoint.circuitState('plain') === 'open') bench.clock.monotonic += 100;
    }
    const counts = attempts.map((error) => (error as { attempts: number }).attempts);
    expect(counts.slice(0, 3)).toEqual([3, 3, 3]);
    expect(counts.at(-1)).toBeLessThan(3);
  });

  it('does not start a retry that could not finish', async () => {
    bench = await startBench({ retry: { deadlineMs: 1_000 } });
    bench.server.always = (response, incoming) => {
      bench.clock.advance(800);
      busy(response, incoming);
    };
    expect(await fetchToken()).toMatchObject({ code: 'MP_UPSTREAM', attempts: 1, elapsedMs: 800 });
  });

  it('does not wait longer than the deadline allows', async () => {
    bench = await startBench({ retry: { deadlineMs: 1_000 }, random: () => 0.999 });
    bench.server.always = answer(429, '');
    expect(await fetchToken()).toMatchObject({ code: 'MP_THROTTLED', attempts: 1 });
  });
});

describe('the end of an operation', () => {
  it.each([
    ['a silent server', silence],
    ['a wait for the next attempt', answer(503, '', { 'retry-after': '1' })],
  ])('F-08: the total deadline ends %s', async (_, misbehaviour: Misbehaviour) => {
    bench = await startBench({ retry: { deadlineMs: 1_300, attemptTimeoutMs: 60_000 } });
    bench.server.script = [misbehaviour, silence, silence];
    expect(await fetchToken()).toMatchObject({ code: 'MP_TIMEOUT', message: expect.stringContaining('deadline') });
  });

  it('F-130: a stopped operation is no timeout and opens no circuit', async () => {
    bench = await startBench();
    bench.server.always = silence;
    const demand = new Demand('interactive', true);
    const fetching = fetchToken(true, demand);
    demand.stop();
    expect(await fetching).toMatchObject({ code: 'MP_ABORTED' });
    expect(await fetchToken(true, demand)).toMatchObject({ code: 'MP_ABORTED' });
    expect(bench.endpoint.circuitState('plain')).toBe('closed');
    expect(bench.events).toEqual([]);
  });
});

describe('F-56, T-16: an assertion is sent once', () => {
  it('whatever the server does, in whatever order', async () => {
    bench = await startBench({ maxConnections: 2 });
    const misbehaviours = {
      busy,
      reset,
      replay: refusal('MP-012'),
      clock: refusal('MP-130'),
      throttled: answer(429, '', { 'retry-after': '0' }),
      html: answer(200, '<html>'),
      good: undefined,
    };
    const scripts = fc.array(
      fc.constantFrom<keyof typeof misbehaviours>('busy', 'reset', 'replay', 'clock', 'throttled', 'html', 'good'),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(scripts, fc.integer({ min: 1, max: 3 }), async (script, callers) => {
        bench.clock.advance(120_000);
        bench.server.script = script.map((name) => misbehaviours[name]);
        const before = bench.server.grants.length;
        await Promise.all(Array.from({ length: callers }, () => fetchToken()));
        expect(bench.server.violations).toEqual([]);
        expect(bench.server.grants.length - before).toBeLessThanOrEqual(callers * 4);
        expect(new Set(bench.server.jtis).size).toBe(bench.server.jtis.length);
        expect(
          bench.server.grants
            .map(({ claims }) => Number(claims.exp) - Number(claims.iat))
            .every((life) => life === 100),
        ).toBe(true);
      }),
      { numRuns: runs(60) },
    );
  });
});
