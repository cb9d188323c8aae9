import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createError } from '../errors/index.js';
import { parseRetryAfter } from './retry-after.js';
import { backoffMs, fits, foregroundLimits, isTransient } from './retry-policy.js';
import { RetryBudget } from './retry-budget.js';
import { sleep } from './sleep.js';

const now = Date.parse('2026-11-24T12:00:00Z');

describe('F-38, S-21: Retry-After', () => {
  it.each([
    ['0', 0],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['60', 60_000],
    ['61', 60_000],
    ['999999999', 60_000],
    ['Tue, 24 Nov 2026 12:00:05 GMT', 5_000],
    ['Tue, 24 Nov 2026 11:00:00 GMT', 0],
    ['Tue, 24 Nov 2026 13:00:00 GMT', 60_000],
  ])('%j is %i ms', (value, ms) => {
    expect(parseRetryAfter(value, now)).toBe(ms);
  });

  // prettier-ignore
  it.each([
    undefined, '', '-1', '1.5', '1e3', '0x10', '1234567890', 'soon', '7, 7', '٧', 'NaN', 'Tue, 24 Nov 2026 12:00:05', 'Tue, 24 Nov 2026 12:00:05 CET',
    'Tue, 24 Nov 2026 12:00:05 +0000', '2026-11-24T12:00:05Z', 'Tuesday, 24-Nov-26 12:00:05 GMT', 'Tue, 99 Nov 2026 99:99:99 GMT',
  ])('%j says nothing', (value) => {
    expect(parseRetryAfter(value, now)).toBeUndefined();
  });

  it('is between 0 and 60 s or nothing, whatever is sent', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.nat().map(String),
          fc.date().map((date) => date.toUTCString()),
        ),
        (value) => {
          const ms = parseRetryAfter(value, now) ?? 0;
          expect(ms).toBeGreaterThanOrEqual(0);
          expect(ms).toBeLessThanOrEqual(60_000);
        },
      ),
    );
  });
});

describe('backoff', () => {
  const upstream = createError('MP_UPSTREAM', { message: 'x' });

  it('is anywhere below 100 ms doubled per failure, at most 2 s', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (failures, random) => {
          const ms = backoffMs(failures, upstream, () => random);
          expect(ms).toBeGreaterThanOrEqual(0);
          expect(ms).toBeLessThan(Math.min(2_000, 100 * 2 ** Math.max(failures - 1, 0)) + 1);
        },
      ),
    );
    expect(backoffMs(1, upstream, () => 1)).toBe(100);
    expect(backoffMs(2, upstream, () => 1)).toBe(200);
    expect(backoffMs(9, upstream, () => 1)).toBe(2_000);
  });

  it('is longer after 429, and never shorter than the server asks for', () => {
    expect(backoffMs(1, createError('MP_THROTTLED', { message: 'x' }), () => 1)).toBe(1_000);
    expect(backoffMs(1, createError('MP_UPSTREAM', { message: 'x', retryAfterMs: 10 }), () => 1)).toBe(1_000);
    expect(backoffMs(1, createError('MP_UPSTREAM', { message: 'x', retryAfterMs: 7_000 }), () => 0)).toBe(7_000);
  });

  it('starts nothing with less than a quarter of a second left', () => {
    expect([fits(0, 250), fits(0, 249), fits(100, 349), fits(100, 350)]).toEqual([true, false, false, true]);
  });

  it('F-11: a proxy that asks for credentials is not transient', () => {
    expect(isTransient(upstream)).toBe(true);
    expect(isTransient(createError('MP_PROXY', { message: 'x', category: 'protocol', retryable: false }))).toBe(false);
    expect(isTransient(createError('MP_UPSTREAM', { message: 'x', retryable: false }))).toBe(false);
    expect(isTransient(createError('MP_CLOCK', { message: 'x' }))).toBe(false);
  });

  it('keeps the default of what is not given', () => {
    expect(foregroundLimits(undefined)).toEqual({ attempts: 3, attemptTimeoutMs: 3_000, deadlineMs: 8_000 });
    const given = { attempts: 1, deadlineMs: undefined as unknown as number };
    expect(foregroundLimits(given)).toEqual({ attempts: 1, attemptTimeoutMs: 3_000, deadlineMs: 8_000 });
  });
});

describe('RetryBudget', () => {
  it('pays ten retries, five after timeouts, and refills by one every two seconds', () => {
    let ms = 0;
    const quota = new RetryBudget(() => ms);
    for (let retry = 0; retry < 10; retry += 1) expect(quota.take(false)).toBe(5);
    expect(quota.take(false)).toBeUndefined();
    ms = 9_999;
    expect(quota.take(false)).toBeUndefined();
    ms = 10_000;
    expect(quota.take(false)).toBe(5);
    ms = 30_000;
    expect(quota.take(true)).toBe(10);
    expect(quota.units).toBe(0);
    ms = 1e9;
    expect(quota.units).toBe(50);
  });

  it('gives back what a successful retry took, and one for a clean success', () => {
    const quota = new RetryBudget(() => 0);
    const taken = (quota.take(true) ?? 0) + (quota.take(false) ?? 0);
    expect(quota.units).toBe(35);
    quota.succeeded(taken);
    expect(quota.units).toBe(50);
    quota.take(false);
    quota.succeeded(0);
    expect(quota.units).toBe(46);
  });

  it('never holds more than it can or less than nothing', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ take: fc.boolean() }),
        fc.record({ wait: fc.nat(20_000) }),
        fc.record({ gain: fc.nat(100) }),
      ),
    );
    fc.assert(
      fc.property(steps, (list) => {
        let ms = 0;
        const quota = new RetryBudget(() => ms);
        for (const step of list) {
          if ('take' in step) quota.take(step.take);
          else if ('wait' in step) ms += step.wait;
          else quota.succeeded(step.gain);
          expect(quota.units).toBeGreaterThanOrEqual(0);
          expect(quota.units).toBeLessThanOrEqual(50);
        }
      }),
    );
  });
});

describe('sleep', () => {
  it('ends with the time or with the signal, and leaves no listener', async () => {
    const abort = new AbortController();
    await expect(sleep(1, abort.signal, true)).resolves.toBeUndefined();
    const sleeping = sleep(60_000, abort.signal, false);
    abort.abort();
    await expect(sleeping).rejects.toMatchObject({ code: 'MP_ABORTED' });
    await expect(sleep(60_000, abort.signal, true)).rejects.toMatchObject({ code: 'MP_ABORTED' });
  });
});
