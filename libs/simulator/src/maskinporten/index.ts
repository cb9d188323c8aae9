import type { SimulatorPart } from '../kernel/index.js';
import type { MaskinportenState } from './maskinporten-state.js';
import { maskinportenRoutes } from './maskinporten.routes.js';

export { type TokenClaims, TokenFailure, claimFailure, verifySignature } from './access-token.js';
export type { DelegationInput, UngrantedInput } from './access.js';
export { type ClientJwk, type RegisteredKey, keySetReader } from './client-keys.js';
export type { Client, ClientInput } from './clients.js';
export type { Consent, ConsentEvent, ConsentInput, ConsentStatus } from './consents.js';
export { MaskinportenState, type RevokedTokenInput } from './maskinporten-state.js';
export type { ScopeInput } from './scopes.js';
export { SigningKeys } from './signing-keys.js';
export {
  type AccessPackageInput,
  EXTERNAL_REF,
  type LocalisedText,
  type Right,
  type RightInput,
  type System,
  type SystemInput,
  type SystemUser,
  type SystemUserInput,
  accessPackage,
  right,
} from './systems.js';
export type { Tolerance } from './tolerance.js';
export {
  type IssueTokenInput,
  type PartyInput,
  type Tamper,
  type TokenWithoutGrant,
  issueTokenWithoutGrant,
} from './token-without-grant.js';

/** Maskinporten's half. */
export function maskinportenPart(state: MaskinportenState): SimulatorPart {
  return {
    name: 'maskinporten',
    collections: [
      state.clients,
      state.scopes,
      state.ungranted,
      state.delegations,
      state.systems,
      state.systemUsers,
      state.consents,
      state.revokedTokens,
      state.tolerate,
    ],
    routes: { maskinporten: (app) => maskinportenRoutes(app, state) },
    reset: () => state.usedGrants.clear(),
  };
}
