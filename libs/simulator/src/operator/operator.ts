import type { LogEntry, SimulatorClock, World } from '../kernel/index.js';
import type { Faults } from '../kernel/index.js';
import type { MaskinportenState } from '../maskinporten/index.js';

/** Control of a running simulator from the same process; the HTTP API under `/operator/api/` does the same. */
export interface Operator extends Pick<
  MaskinportenState,
  'clients' | 'scopes' | 'ungranted' | 'delegations' | 'systems' | 'systemUsers' | 'consents' | 'revokedTokens'
> {
  readonly faults: Faults;
  readonly clock: SimulatorClock;
  /** Each request with the verdict of each check, oldest first; a live list. */
  readonly log: readonly LogEntry[];
  clearLog(): void;
  /** Makes the APIs refuse an access token, by its `jti`. */
  revoke(jti: string): void;
  /** Signs with a new key from now on; says its `kid`. */
  rotateSigningKey(options?: { dropOld?: boolean }): Promise<string>;
  /** Back to the configuration at start: log, clock, used grants and every list. */
  reset(): void;
}

export function makeOperator(state: MaskinportenState, faults: Faults, world: World, reset: () => void): Operator {
  const { clients, scopes, ungranted, delegations, systems, systemUsers, consents, revokedTokens } = state;
  return {
    clients,
    scopes,
    ungranted,
    delegations,
    systems,
    systemUsers,
    consents,
    revokedTokens,
    faults,
    clock: world.clock,
    log: world.log.entries,
    clearLog: () => world.log.clear(),
    revoke: (jti) => {
      revokedTokens.add({ jti });
    },
    rotateSigningKey: (options) => state.signingKeys.rotate(options),
    reset,
  };
}
