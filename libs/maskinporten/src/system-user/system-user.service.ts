// Longer than 250 lines: one public class with the documentation of its methods.
import {
  inputList,
  inputRecord,
  inputText,
  isAltinnError,
  optionalFlag,
  optionalSignal,
  optionalText,
  pollRequest,
  PLATFORM_FIELD,
  SYSTEM_FIELD,
  type AltinnClient,
  type NewChangeRequest,
  type RightInput,
  type Sleep,
  type SystemUser,
  type SystemUserChangeRequest,
  type SystemUserKey,
  type SystemUserRequest,
  wrongInput,
} from '../altinn/index.js';
import { configurationError } from '../errors/index.js';
import { parseOrganisationNumber } from '../grants/index.js';
import { systemClock, type Clock } from '../basics/index.js';
import {
  DEFAULT_ACTION,
  DelegationCheck,
  GRANULARITY,
  keyOf,
  memoryKey,
  RightsRefusal,
  type RightDecision,
  type RightsStrategy,
} from '../rights/index.js';
import { asDenial } from './delegation-error.js';
import { RequestContent } from './request-content.js';

/** Which system user: the organisation that owns it, and its reference if it was created with one. */
export interface SystemUserQuery {
  /** Nine digits, with or without `0192:`. */
  readonly organisation: string;
  readonly externalRef?: string | undefined;
  /** Do not use a remembered yes. Default false: a yes is used for 30 s, a no for 2 s. */
  readonly fresh?: boolean;
}

export interface RightQuery extends SystemUserQuery {
  /** Who is acted for, when that is not the owner: a client of an agent, or a subunit. */
  readonly party?: string;
  readonly resource: string;
  /** Default `read`. Only the PDP knows actions. */
  readonly action?: string;
}

export interface SystemUserRequestInput extends Omit<SystemUserQuery, 'fresh'> {
  /** Default, when nothing at all is asked for: what the application's `@RequireSystemUser`s need. */
  readonly rights?: readonly RightInput[];
  /** Short for rights with every action. */
  readonly resources?: readonly string[];
  /** With or without `urn:altinn:accesspackage:`. */
  readonly accessPackages?: readonly string[];
  /** One of those registered on the system. */
  readonly redirectUrl?: string;
  /** Shown to the customer. */
  readonly title?: string;
  /** Ask for one that acts for the clients of the organisation; access packages only. Default false. */
  readonly agent?: boolean;
}

export interface SystemUserServiceOptions {
  /** Undefined: no platform is configured, and every method says so. */
  readonly altinn: AltinnClient | undefined;
  readonly systemId: string | undefined;
  readonly strategy: RightsStrategy | undefined;
  readonly clock?: Clock | undefined;
  readonly sleep?: Sleep | undefined;
  readonly onWarning?: ((reason: string) => void) | undefined;
}

/** The parts that need a complete configuration. */
export interface Delegations {
  readonly altinn: AltinnClient;
  readonly systemId: string;
  readonly check: DelegationCheck;
  readonly content: RequestContent;
}

/**
 * Finds out what customers have approved, and asks them for more.
 *
 * @example
 * const request = await systemUsers.createRequest({ organisation, resources: ['ske-krav-og-betalinger'] });
 * show(request.confirmUrl);
 * const answered = await systemUsers.waitForRequest(request.id, { signal });
 */
export class SystemUserService {
  readonly #options: SystemUserServiceOptions;
  readonly #delegations: Delegations | undefined;
  /** One request per system user at a time, however many callers miss it. */
  readonly #asking = new Map<string, Promise<SystemUserRequest | 'exists'>>();

  constructor(options: SystemUserServiceOptions) {
    const { altinn, systemId, strategy, clock = systemClock, onWarning = () => undefined } = options;
    this.#options = options;
    if (altinn === undefined || systemId === undefined) return;
    const check = new DelegationCheck({ altinn, systemId, strategy, clock, onWarning });
    this.#delegations = { altinn, systemId, check, content: new RequestContent(check.resources) };
  }

  /**
   * Is there a live system user? Says nothing about its rights.
   *
   * @returns null when there is none: never approved, deleted, or created with another externalRef
   * @throws MaskinportenError when there is no answer; TokenRequestInvalidError (`MP_REQUEST`) for a malformed number
   */
  async findSystemUser(query: SystemUserQuery): Promise<SystemUser | null> {
    const { fresh, ...key } = inputRecord(query, 'query');
    const presence = await this.delegations.check.presence(checkedKey(key), optionalFlag(fresh, 'fresh') ?? false);
    return presence.state === 'present' ? presence.systemUser : null;
  }

  /**
   * May the system user do this? No system user, or no right, is a decision with a `code`.
   *
   * @throws DelegationError (`delegation_unknown`, `system_user_misconfigured`) when there is no answer;
   *   TokenRequestInvalidError (`MP_REQUEST`) naming a field that is wrong
   */
  async checkRight(query: RightQuery): Promise<RightDecision> {
    const { check } = this.delegations;
    const given = inputRecord(query, 'query');
    const key = checkedKey(given);
    const party = given['party'] === undefined ? key.organisation : checkedOrganisation(given['party'], 'party');
    const resource = inputText(given['resource'], 'resource');
    const action = optionalText(given['action'], 'action') ?? DEFAULT_ACTION;
    const fresh = optionalFlag(given['fresh'], 'fresh') ?? false;
    const strategy = check.strategy ?? 'pdp';
    const about = { strategy, granularity: GRANULARITY[strategy] };
    try {
      const systemUser = await check.requirePresent(key, fresh);
      const { checkedAt, ...answer } = await check.right(key, systemUser, { resource, action, party }, fresh);
      return { allowed: answer.allowed, ...('code' in answer ? { code: answer.code } : {}), ...about, checkedAt };
    } catch (error) {
      if (!(error instanceof RightsRefusal) || !error.isNo) throw asDenial(error);
      return { allowed: false, code: error.code, ...about, checkedAt: new Date(this.#clock.wallMs()) };
    }
  }

  /**
   * Asks the customer for a system user. When a request for the same organisation and externalRef exists, that one comes
   * back, whatever its status: look at `status`.
   *
   * @throws AltinnError, with `authCode` `AUTH-00004` when the system user exists already; TokenRequestInvalidError
   *   (`MP_REQUEST`) naming a field that is wrong
   */
  async createRequest(input: SystemUserRequestInput): Promise<SystemUserRequest> {
    const { altinn, systemId, content } = this.delegations;
    const given = inputRecord(input, 'request');
    const agent = optionalFlag(given['agent'], 'agent') ?? false;
    const rights = inputList(given['rights'], 'rights') as readonly RightInput[];
    const resources = inputList(given['resources'], 'resources').map((resource, index) => ({
      resource: inputText(resource, `resources[${index}]`),
    }));
    const accessPackages = inputList(given['accessPackages'], 'accessPackages') as readonly string[];
    const asked = { rights: [...rights, ...resources], accessPackages };
    const nothing = asked.rights.length === 0 && accessPackages.length === 0;
    return altinn.requests.create({
      systemId,
      ...checkedKey(given),
      redirectUrl: optionalText(given['redirectUrl'], 'redirectUrl'),
      title: optionalText(given['title'], 'title'),
      agent,
      ...(nothing ? await content.needed(agent) : asked),
    });
  }

  /**
   * A request or change request as it is now.
   *
   * @returns null when it is gone: look whether the system user exists
   */
  async getRequest(id: string): Promise<SystemUserRequest | SystemUserChangeRequest | null> {
    return (await this.#find(id)) ?? null;
  }

  /**
   * Waits until the customer has answered: quick looks at first, then every minute, then every hour. There is no event
   * to wait for, and the redirect back is for people only.
   *
   * @returns null when the request is gone: look whether the system user exists
   * @throws OperationAbortedError (`MP_ABORTED`) when `signal` fires
   */
  async waitForRequest(
    id: string,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<SystemUserRequest | SystemUserChangeRequest | null> {
    const signal = optionalSignal(inputRecord(options, 'options')['signal'], 'signal');
    const found = await pollRequest(async () => this.#find(id, signal), { signal, sleep: this.#options.sleep });
    if (found?.organisation !== undefined) this.forget({ ...found, organisation: found.organisation });
    return found ?? null;
  }

  /** Takes a request back. @returns false when there was none */
  async deleteRequest(id: string): Promise<boolean> {
    const { requests } = this.delegations.altinn;
    for (const kind of ['standard', 'agent', 'change'] as const) {
      if (await requests.delete(kind, id)) return true;
    }
    return false;
  }

  /**
   * Asks the customer to add or remove rights of a standard system user.
   *
   * @throws AltinnError with `authCode` `AUTH-00015` for an agent, which cannot be changed
   */
  async createChangeRequest(input: NewChangeRequest): Promise<SystemUserChangeRequest> {
    return this.delegations.altinn.requests.change(input);
  }

  /**
   * All live system users of a system, page by page as they are read. Default: the configured system.
   *
   * @throws TokenRequestInvalidError (`MP_REQUEST`) when the id is not a text
   */
  listSystemUsers(systemId?: string): AsyncIterable<SystemUser> {
    const { altinn, systemId: own } = this.delegations;
    return altinn.systemUsers.list(optionalText(systemId, 'systemId') ?? own);
  }

  /** Believe nothing that is remembered about a system user, as after a refusal that the guard could not see. */
  forget(systemUser: { readonly organisation: string; readonly externalRef?: string | undefined }): void {
    this.delegations.check.forget(checkedKey(inputRecord(systemUser, 'systemUser')));
  }

  /** For the guard. @throws MaskinportenConfigurationError (`MP_CONFIG`) naming what is not configured */
  get delegations(): Delegations {
    if (this.#delegations !== undefined) return this.#delegations;
    const { altinn, systemId } = this.#options;
    throw configurationError([
      ...(altinn === undefined
        ? [
            {
              field: PLATFORM_FIELD,
              code: 'MP_CONFIG' as const,
              reason: 'altinn.platformUrl is not set, and there is no environment to take it from',
            },
          ]
        : []),
      ...(systemId === undefined
        ? [{ field: SYSTEM_FIELD, code: 'MP_CONFIG' as const, reason: 'altinn.systemId is not set' }]
        : []),
    ]);
  }

  /** Asks for what the guard misses; a system user that has come into being meanwhile ends it without a request. */
  async requestMissing(key: SystemUserKey, agent: boolean): Promise<SystemUserRequest | 'exists'> {
    const name = memoryKey(key);
    const asking = this.#asking.get(name) ?? this.#askFor(key, agent).finally(() => this.#asking.delete(name));
    this.#asking.set(name, asking);
    return asking;
  }

  async #askFor(key: SystemUserKey, agent: boolean): Promise<SystemUserRequest | 'exists'> {
    try {
      return await this.createRequest({
        organisation: key.organisation,
        externalRef: key.externalRef,
        agent,
      });
    } catch (error) {
      if (isAltinnError(error, 'AUTH-00004')) return 'exists';
      throw error;
    }
  }

  get #clock(): Clock {
    return this.#options.clock ?? systemClock;
  }

  async #find(id: string, signal?: AbortSignal): Promise<SystemUserRequest | SystemUserChangeRequest | undefined> {
    const { requests } = this.delegations.altinn;
    return (
      (await requests.get('standard', id, signal)) ??
      (await requests.get('agent', id, signal)) ??
      requests.getChange(id, signal)
    );
  }
}

function checkedKey(given: Readonly<Record<string, unknown>>): SystemUserKey {
  const { organisation, externalRef } = given;
  const owner = checkedOrganisation(organisation, 'organisation');
  return keyOf(owner, optionalText(externalRef, 'externalRef'));
}

function checkedOrganisation(value: unknown, field: string): string {
  const organisation = parseOrganisationNumber(value);
  if (organisation !== undefined) return organisation;
  throw wrongInput(field, 'must be a Norwegian organisation number: nine digits that pass modulus 11');
}
