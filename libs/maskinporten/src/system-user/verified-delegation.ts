import type { SystemUser, SystemUserKey } from '../altinn/index.js';
import { DEFAULT_CLIENT } from '../outbound/index.js';
import type { RightDecision } from '../rights/index.js';

/**
 * What the guard verified, for the handler: use these values and not the ones from the request, since only these are
 * what was checked and what the token is for.
 */
export class VerifiedDelegation {
  /** Owner of the system user: nine digits. */
  readonly organisation: string;
  /** Who is acted for: the organisation, or the client of an agent. */
  readonly party: string;
  readonly systemUser: SystemUser;
  readonly resource: string;
  readonly action: string;
  /** Who said yes, and how exact that is. */
  readonly decision: RightDecision;
  /** Name of the client whose system was verified: calls for the organisation carry its tokens, and no other client's. */
  readonly client: string;
  /** For `systemUser` of a token request that you make yourself. */
  readonly tokenRequest: { readonly organisation: string; readonly externalRef?: string | undefined };

  constructor(parts: {
    readonly key: SystemUserKey;
    readonly party: string;
    readonly systemUser: SystemUser;
    readonly resource: string;
    readonly action: string;
    readonly decision: RightDecision;
    readonly client?: string | undefined;
  }) {
    const { organisation, externalRef } = parts.key;
    this.organisation = organisation;
    this.party = parts.party;
    this.systemUser = parts.systemUser;
    this.resource = parts.resource;
    this.action = parts.action;
    this.client = parts.client ?? DEFAULT_CLIENT;
    this.decision = Object.freeze({ ...parts.decision });
    this.tokenRequest = Object.freeze({ organisation, externalRef });
    Object.freeze(this);
  }
}
