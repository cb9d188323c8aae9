import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ExpiryNotices } from './expiry-notices.js';
import { DAY_MS, START_MS } from './health.fixtures.js';

const end = (days: number, counts = true) => ({
  what: 'registered-key' as const,
  endsAt: new Date(START_MS + days * DAY_MS),
  counts,
});

describe('notices of an expiry', () => {
  it('are one per tier over the whole life of a key', () => {
    const notices = new ExpiryNotices();
    const told: [number, string][] = [];
    for (let hour = 0; hour <= 366 * 24; hour += 1) {
      for (const { daysLeft, level } of notices.due('kid:1', [end(365)], START_MS + hour * 3_600_000)) {
        told.push([daysLeft, level]);
      }
    }
    expect(told).toEqual([
      [60, 'log'],
      [30, 'warn'],
      [7, 'error'],
      [1, 'error'],
      [0, 'error'],
    ]);
  });

  it('at a start late in the life are one, not one for each tier that was missed', () => {
    const notices = new ExpiryNotices();
    expect(notices.due('kid:1', [end(5)], START_MS)).toEqual([
      {
        level: 'error',
        message: 'the registered signing key expires in 5 days',
        what: 'registered-key',
        daysLeft: 5,
        endsAt: '2026-11-29T12:00:00.000Z',
      },
    ]);
    expect(notices.due('kid:1', [end(5)], START_MS)).toEqual([]);
  });

  it('start anew with another key', () => {
    const notices = new ExpiryNotices();
    notices.due('kid:1', [end(20)], START_MS);
    expect(notices.due('kid:2', [end(20)], START_MS)).toHaveLength(1);
  });

  it('of a certificate that is not looked at are only for information', () => {
    expect(new ExpiryNotices().due('kid:1', [end(0, false)], START_MS)).toMatchObject([{ level: 'log' }]);
  });

  it('are never more than the milestones, however often and irregularly somebody looks', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 * 24 }), { maxLength: 200 }), (hours) => {
        const notices = new ExpiryNotices();
        const told = hours
          .toSorted((a, b) => a - b)
          .flatMap((hour) => notices.due('kid:1', [end(365)], START_MS + hour * 3_600_000));
        expect(told.length).toBeLessThanOrEqual(5);
      }),
    );
  });
});
