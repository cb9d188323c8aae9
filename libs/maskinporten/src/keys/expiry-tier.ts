/** How near the end of a certificate or registered key is (docs/health.md). */
export type ExpiryTier = 'up' | 'notice' | 'degraded' | 'critical' | 'expired';

const DAY_MS = 86_400_000;

/** Whole days until `endsAt`, begun days counted; 0 when it has passed. */
export function daysLeft(endsAt: Date, nowMs: number): number {
  return Math.max(0, Math.ceil((endsAt.getTime() - nowMs) / DAY_MS));
}

export function expiryTier(days: number): ExpiryTier {
  if (days <= 0) return 'expired';
  if (days <= 7) return 'critical';
  if (days <= 30) return 'degraded';
  return days <= 60 ? 'notice' : 'up';
}
