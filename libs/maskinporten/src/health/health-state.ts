/** `degraded` still serves; `down` needs a person. Neither takes a replica out of rotation. */
export type HealthState = 'up' | 'degraded' | 'down';

const ORDER: readonly HealthState[] = ['up', 'degraded', 'down'];

export function worst(states: Iterable<HealthState>): HealthState {
  let found = 0;
  for (const state of states) found = Math.max(found, ORDER.indexOf(state));
  return ORDER[found] ?? 'up';
}
