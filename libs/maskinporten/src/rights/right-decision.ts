import type { DelegationCode } from './delegation-code.js';

/**
 * Who is asked about rights. `pdp` knows the action; `authorized-parties` cannot tell *read* from *write*;
 * `accepted-request` only knows what the customer once approved.
 */
export type RightsStrategy = 'pdp' | 'authorized-parties' | 'accepted-request';

/** How exact an answer is. */
export type RightGranularity = 'action' | 'resource' | 'granted-at-approval';

export const GRANULARITY: Readonly<Record<RightsStrategy, RightGranularity>> = {
  pdp: 'action',
  'authorized-parties': 'resource',
  'accepted-request': 'granted-at-approval',
};

/** May the system user do it? With who said so and how exact that is. */
export interface RightDecision {
  readonly allowed: boolean;
  /** Why not; absent when allowed. */
  readonly code?: DelegationCode;
  readonly strategy: RightsStrategy;
  readonly granularity: RightGranularity;
  /** When Altinn was asked. */
  readonly checkedAt: Date;
}

/** The action a question is about when none is given. */
export const DEFAULT_ACTION = 'read';

/** One question about a right of an existing system user. */
export interface RightQuestion {
  readonly resource: string;
  /** Default `read`, for the PDP, which decides on nothing without one. */
  readonly action: string;
  /** Who is acted for: the owner of the system user, a subunit of it, or the client of an agent. */
  readonly party: string;
}
