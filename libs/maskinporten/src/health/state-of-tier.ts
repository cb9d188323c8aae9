import type { ExpiryTier } from '../keys/index.js';
import type { HealthState } from './health-state.js';

const STATE_OF: Readonly<Record<ExpiryTier, HealthState>> = {
  up: 'up',
  notice: 'up',
  degraded: 'degraded',
  critical: 'degraded',
  expired: 'down',
};

export const stateOfTier = (tier: ExpiryTier): HealthState => STATE_OF[tier];
