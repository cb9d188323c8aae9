import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { daysLeft, expiryTier } from './credential-end.js';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 10, 24, 12);

describe('the tiers of an expiry', () => {
  it.each([
    [365, 'up'],
    [61, 'up'],
    [60, 'notice'],
    [31, 'notice'],
    [30, 'degraded'],
    [8, 'degraded'],
    [7, 'critical'],
    [1, 'critical'],
    [0, 'expired'],
  ] as const)('%i days are %s', (days, tier) => {
    expect(expiryTier(days)).toBe(tier);
  });

  it('say expired exactly when the end has passed, whatever the time of day', () => {
    fc.assert(
      fc.property(fc.integer({ min: -400 * DAY_MS, max: 400 * DAY_MS }), (leftMs) => {
        const days = daysLeft(new Date(START_MS + leftMs), START_MS);
        expect(expiryTier(days) === 'expired').toBe(leftMs <= 0);
        expect(Number.isInteger(days)).toBe(true);
      }),
      { numRuns: runs(1_000) },
    );
  });
});
