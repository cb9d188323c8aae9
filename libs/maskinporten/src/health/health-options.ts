import type { Clock } from '../basics/index.js';
import type { WatchedTokenService } from '../signals/index.js';
import type { CheckInterval } from './background-check.js';

/** Options of `MaskinportenHealthModule.forRoot`. Durations in milliseconds. */
export interface MaskinportenHealthOptions {
  /** Shortest and longest time between two checks of the issuer. Default `[10_000, 20_000]`. */
  readonly checkEveryMs?: CheckInterval;
  /** How long one check may take. Default 2,000. */
  readonly checkDeadlineMs?: number;
  /** How long the event loop may stand still before the process counts as stalled. Default 2,000. */
  readonly stallMs?: number;
  /**
   * Keep the replica out of rotation until a first token has been obtained, at most `firstTokenLimitMs`. Default: no
   * waiting, because a replica without a token can still answer with 503 and `Retry-After`.
   */
  readonly firstToken?: Parameters<WatchedTokenService['getToken']>[0];
  /** Name of the client that `firstToken` is asked of. Default: the default client. */
  readonly firstTokenClient?: string;
  /** Default 60,000. */
  readonly firstTokenLimitMs?: number;
  /** Time and chance, for tests. */
  readonly clock?: Clock;
  readonly random?: () => number;
}

export const HEALTH_OPTIONS = Symbol('MaskinportenHealthOptions');

export const DEFAULT_CHECK_EVERY_MS: CheckInterval = [10_000, 20_000];
export const DEFAULT_CHECK_DEADLINE_MS = 2_000;
/** The timeout that the manifests give to probes. */
export const DEFAULT_STALL_MS = 2_000;
export const DEFAULT_FIRST_TOKEN_LIMIT_MS = 60_000;
