import type { SigningKey } from './signing-key.js';

/** One of the two cliffs a signing key can fall off. */
export interface CredentialEnd {
  readonly what: 'certificate' | 'registered-key';
  readonly endsAt: Date;
  /** False for the certificate of a key that is named by its `kid`: Maskinporten does not look at it. */
  readonly counts: boolean;
}

/**
 * When a key stops working: its certificate ends, and the public key that was uploaded for it lives one year
 * (docs/health.md). The second is known only when it was configured when the key was uploaded.
 */
export function credentialEnds({
  kid,
  certificateNotAfter,
  registeredAt,
}: Pick<SigningKey, 'kid' | 'certificateNotAfter' | 'registeredAt'>): CredentialEnd[] {
  return [
    ...(certificateNotAfter === undefined
      ? []
      : [{ what: 'certificate' as const, endsAt: certificateNotAfter, counts: kid === undefined }]),
    ...(registeredAt === undefined
      ? []
      : [{ what: 'registered-key' as const, endsAt: oneYearAfter(registeredAt), counts: kid !== undefined }]),
  ];
}

function oneYearAfter(date: Date): Date {
  const end = new Date(date);
  end.setUTCFullYear(end.getUTCFullYear() + 1);
  return end;
}

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
