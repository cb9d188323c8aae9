import type { ExpiryTier } from '../keys/index.js';

/** `degraded` still serves; `down` needs a person. Neither takes a replica out of rotation. */
export type HealthState = 'up' | 'degraded' | 'down';

const ORDER: readonly HealthState[] = ['up', 'degraded', 'down'];

export function worst(states: Iterable<HealthState>): HealthState {
  let found = 0;
  for (const state of states) found = Math.max(found, ORDER.indexOf(state));
  return ORDER[found] ?? 'up';
}

const OF_TIER: Readonly<Record<ExpiryTier, HealthState>> = {
  up: 'up',
  notice: 'up',
  degraded: 'degraded',
  critical: 'degraded',
  expired: 'down',
};

/** What the end of a certificate or key means for the health of its client. */
export const stateOfTier = (tier: ExpiryTier): HealthState => OF_TIER[tier];
