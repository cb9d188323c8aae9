import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { daysLeft, expiryTier, stateOfTier } from './expiry-tier.js';
import { DAY_MS, START_MS } from './health.fixtures.js';

describe('the tiers of an expiry', () => {
  it.each([
    [365, 'up', 'up'],
    [61, 'up', 'up'],
    [60, 'notice', 'up'],
    [31, 'notice', 'up'],
    [30, 'degraded', 'degraded'],
    [8, 'degraded', 'degraded'],
    [7, 'critical', 'degraded'],
    [1, 'critical', 'degraded'],
    [0, 'expired', 'down'],
  ] as const)('%i days are %s, which is %s', (days, tier, state) => {
    expect(expiryTier(days)).toBe(tier);
    expect(stateOfTier(tier)).toBe(state);
  });

  it('say expired exactly when the end has passed, whatever the time of day', () => {
    fc.assert(
      fc.property(fc.integer({ min: -400 * DAY_MS, max: 400 * DAY_MS }), (leftMs) => {
        const days = daysLeft(new Date(START_MS + leftMs), START_MS);
        expect(expiryTier(days) === 'expired').toBe(leftMs <= 0);
        expect(Number.isInteger(days)).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });
});
