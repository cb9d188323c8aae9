import type { Finding } from '../findings/index.js';
import type { ExpiryTier } from '../keys/index.js';
import type { TokenServiceStatus } from '../signals/index.js';
import type { HealthState } from './health-state.js';

/** The parts a client's report is made of. */
export const REPORT_PARTS = ['issuer', 'tokens', 'key', 'expiry', 'clock', 'circuit'] as const;
export type ReportPart = (typeof REPORT_PARTS)[number];

export interface ExpiryReport {
  readonly what: 'certificate' | 'registered-key';
  readonly tier: ExpiryTier;
  readonly daysLeft: number;
  readonly endsAt: string;
  /** False when Maskinporten does not look at it (the certificate of a key with a `kid`). */
  readonly counts: boolean;
}

/** One reason why token requests fail, or did until nobody asked any more. */
export interface FaultReport {
  readonly area: string;
  readonly code: string;
  readonly mpCode?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
}

/** What is known about one client. For eyes that have been authenticated: it names codes, scopes and dates. */
export interface ClientReport {
  readonly status: HealthState;
  readonly issuer: {
    readonly status: HealthState | 'unknown';
    readonly identifier: string;
    readonly checkedAt?: string;
    readonly latencyMs?: number;
    readonly code?: string | undefined;
  };
  readonly tokens: {
    readonly status: HealthState;
    readonly cached: number;
    readonly last?:
      | {
          readonly outcome: 'obtained' | 'refused';
          readonly at: string;
          readonly code?: string | undefined;
          readonly mpCode?: string | undefined;
        }
      | undefined;
    readonly faults: readonly FaultReport[];
  };
  readonly key: {
    readonly status: HealthState;
    /** At most eight characters. */
    readonly kid?: string | undefined;
    readonly fallback: boolean;
    /** Key files that have changed and could not be taken (F-111, F-113). */
    readonly reloadFailures?: TokenServiceStatus['key']['reloadFailures'];
    readonly code?: string | undefined;
  };
  readonly expiry: { readonly status: HealthState; readonly credentials: readonly ExpiryReport[] };
  readonly clock: { readonly status: HealthState; readonly offsetMs: number };
  readonly circuit: { readonly status: HealthState } & TokenServiceStatus['circuits'];
  /** What ought to be fixed before it hurts, in the words of the doctor; absent when nothing is. */
  readonly findings?: readonly Finding[];
}
