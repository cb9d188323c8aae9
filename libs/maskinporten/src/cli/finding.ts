import type { Text } from './language.js';

export type FindingState = 'good' | 'warning' | 'failed';

/** One thing that was looked at. */
export interface Finding {
  /** Stable name, for scripts. */
  readonly id: string;
  readonly state: FindingState;
  readonly text: Text;
}

export const worstOf = (states: readonly FindingState[]): FindingState =>
  (['failed', 'warning'] as const).find((state) => states.includes(state)) ?? 'good';
