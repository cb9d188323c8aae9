import { type AltinnSettings, type AltinnState, ConsentRequests, CustomerDesk } from '../altinn/index.js';
import type { LogEntry, SimulatorClock, World } from '../kernel/index.js';
import type { Faults } from '../kernel/index.js';
import type { MaskinportenState } from '../maskinporten/index.js';

/** What the customer does in Altinn's portal. */
type CustomerActions = Pick<
  CustomerDesk,
  | 'approve'
  | 'reject'
  | 'timeOut'
  | 'deleteSystemUser'
  | 'revokeRight'
  | 'grantRight'
  | 'addClient'
  | 'removeClient'
  | 'delegateSelf'
  | 'revokeSelf'
>;

/** What a person or organisation decides about a consent. */
interface ConsentActions {
  approveConsent(id: string): void;
  rejectConsent(id: string): void;
  revokeConsent(id: string): void;
}

/** Control of a running simulator from the same process; the HTTP API under `/operator/api/` does the same. */
export interface Operator
  extends
    Pick<
      MaskinportenState,
      | 'clients'
      | 'scopes'
      | 'ungranted'
      | 'delegations'
      | 'systems'
      | 'systemUsers'
      | 'consents'
      | 'revokedTokens'
      | 'tolerate'
    >,
    Pick<AltinnState, 'organisations' | 'resources' | 'accessPackages' | 'requests' | 'changeRequests'>,
    CustomerActions,
    ConsentActions {
  /** Where Altinn is documented one way and seen another. */
  readonly altinn: AltinnSettings;
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

export function makeOperator(altinn: AltinnState, faults: Faults, world: World, reset: () => void): Operator {
  const state = altinn.maskinporten;
  const { clients, scopes, ungranted, delegations, systems, systemUsers, consents, revokedTokens, tolerate } = state;
  const { organisations, resources, accessPackages, requests, changeRequests } = altinn;
  const desk = new CustomerDesk(altinn);
  const decisions = new ConsentRequests(altinn);
  return {
    clients,
    scopes,
    ungranted,
    delegations,
    systems,
    systemUsers,
    consents,
    revokedTokens,
    tolerate,
    organisations,
    resources,
    accessPackages,
    requests,
    changeRequests,
    altinn: altinn.settings,
    approve: (id) => desk.approve(id),
    reject: (id) => desk.reject(id),
    timeOut: (id, form) => desk.timeOut(id, form),
    deleteSystemUser: (id) => desk.deleteSystemUser(id),
    revokeRight: (id, resource, action) => desk.revokeRight(id, resource, action),
    grantRight: (id, resource, action) => desk.grantRight(id, resource, action),
    addClient: (id, orgno) => desk.addClient(id, orgno),
    removeClient: (id, orgno) => desk.removeClient(id, orgno),
    delegateSelf: (id) => desk.delegateSelf(id),
    revokeSelf: (id) => desk.revokeSelf(id),
    approveConsent: (id) => decisions.approve(id),
    rejectConsent: (id) => decisions.reject(id),
    revokeConsent: (id) => decisions.revoke(id),
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
