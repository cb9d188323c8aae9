import { expect, it } from '@jest/globals';
import { stateOfTier } from './state-of-tier.js';

it.each([
  ['up', 'up'],
  ['notice', 'up'],
  ['degraded', 'degraded'],
  ['critical', 'degraded'],
  ['expired', 'down'],
] as const)('a credential whose expiry is %s makes the health %s', (tier, state) => {
  expect(stateOfTier(tier)).toBe(state);
});
