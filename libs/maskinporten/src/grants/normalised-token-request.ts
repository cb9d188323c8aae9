import { inspect } from 'node:util';
import { ownMembers } from '../basics/index.js';
import type { TokenRequest } from './token-request.js';

/** The parts of a checked request; made by `normaliseTokenRequest` only. */
export interface CheckedParts {
  readonly scopes: readonly string[];
  readonly resource?: readonly string[] | undefined;
  readonly consumerOrg?: string | undefined;
  readonly systemUser?: { readonly organisation: string; readonly externalRef?: string | undefined } | undefined;
  readonly consent?: { readonly id: string; readonly from: string } | undefined;
  readonly pid?: string | undefined;
  readonly exchange?: 'altinn' | undefined;
}

const FROM_ORGANISATION = 'urn:altinn:organization:identifier-no:';

/**
 * The one immutable value that makes both the claims of a grant and the key of the cache (architecture, decision 1):
 * two requests that differ in any claim differ in `canonical`, and the other way round. It is itself a `TokenRequest`,
 * and the fastest form to call the token service with.
 */
export class NormalisedTokenRequest implements TokenRequest {
  readonly scopes: readonly string[];
  /** The scopes as the claim has them: sorted, each once, separated by one space. */
  readonly scope: string;
  declare readonly resource?: readonly string[];
  declare readonly consumerOrg?: string;
  declare readonly systemUser?: { readonly organisation: string; readonly externalRef?: string | undefined };
  declare readonly consent?: { readonly id: string; readonly from: string };
  declare readonly pid?: string;
  declare readonly exchange?: 'altinn';
  /** Requests for a system user pass through Altinn and fail apart from the others (own circuit). */
  readonly kind: 'plain' | 'system-user';
  /** Injective encoding of everything above. Holds person numbers when `pid` is used: never log it. Also what `is` looks for. */
  readonly #canonical: string;

  static {
    // An absent field must not be found on a polluted Object.prototype, or it would be signed (T-66).
    for (const name of ['resource', 'consumerOrg', 'systemUser', 'consent', 'pid', 'exchange']) {
      Object.defineProperty(this.prototype, name, { value: undefined, writable: true });
    }
  }

  constructor(given: CheckedParts) {
    const parts = ownMembers(given);
    this.scopes = Object.freeze([...parts.scopes]);
    this.scope = this.scopes.join(' ');
    // An absent field takes no room: there may be a hundred thousand of these.
    if (parts.resource !== undefined) this.resource = Object.freeze([...parts.resource]);
    if (parts.consumerOrg !== undefined) this.consumerOrg = parts.consumerOrg;
    if (parts.systemUser !== undefined) this.systemUser = Object.freeze(ownMembers(parts.systemUser));
    if (parts.consent !== undefined) this.consent = Object.freeze({ ...parts.consent });
    if (parts.pid !== undefined) this.pid = parts.pid;
    if (parts.exchange !== undefined) this.exchange = parts.exchange;
    this.kind = parts.systemUser === undefined ? 'plain' : 'system-user';
    this.#canonical = JSON.stringify([
      this.scopes,
      parts.resource ?? null,
      parts.consumerOrg ?? null,
      this.systemUser === undefined ? null : [this.systemUser.organisation, this.systemUser.externalRef ?? null],
      parts.consent === undefined ? null : [parts.consent.id, parts.consent.from],
      parts.pid ?? null,
      parts.exchange ?? null,
    ]);
    Object.freeze(this);
  }

  get canonical(): string {
    return this.#canonical;
  }

  /**
   * On whose behalf the token is wanted: of the system user, else `consumer_org`, else who gave the consent; undefined
   * for our own, and for a person.
   */
  get organisation(): string | undefined {
    return this.systemUser?.organisation ?? this.consumerOrg ?? this.consentingOrganisation;
  }

  /** The organisation that gave the consent; undefined when a person did, whose number is never recorded. */
  get consentingOrganisation(): string | undefined {
    const from = this.consent?.from;
    return from?.startsWith(FROM_ORGANISATION) ? from.slice(FROM_ORGANISATION.length) : undefined;
  }

  /** Is it somebody else's right that is used: a system user's, an organisation's, or a person's? */
  get delegated(): boolean {
    return (
      this.systemUser !== undefined ||
      this.consumerOrg !== undefined ||
      this.consent !== undefined ||
      this.pid !== undefined
    );
  }

  /** The same request for the Maskinporten token that an exchange starts from. */
  withoutExchange(): NormalisedTokenRequest {
    const { scopes, resource, consumerOrg, systemUser, consent, pid } = this;
    return new NormalisedTokenRequest({ scopes, resource, consumerOrg, systemUser, consent, pid });
  }

  /** Person numbers are not for logs: the person is there, the number is not. */
  toJSON(): Record<string, unknown> {
    const { scopes, resource, consumerOrg, systemUser, consent, pid, exchange } = this;
    return {
      scopes,
      resource,
      consumerOrg,
      systemUser,
      consent: consent && { ...consent, from: consent.from.replace(/\d{11}/, '[redacted]') },
      pid: pid && '[redacted]',
      exchange,
    };
  }

  [inspect.custom](): string {
    return `NormalisedTokenRequest ${JSON.stringify(this)}`;
  }

  static is(value: unknown): value is NormalisedTokenRequest {
    return typeof value === 'object' && value !== null && #canonical in value;
  }
}
