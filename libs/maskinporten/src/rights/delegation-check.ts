import { LRUCache } from 'lru-cache';
import type { AltinnClient, SystemUser, SystemUserKey } from '../altinn/index.js';
import { isMaskinportenError } from '../errors/index.js';
import type { Clock } from '../basics/index.js';
import type { AnswerMemory } from './answer-memory.js';
import { memoryKey, PresenceCheck, type Presence } from './presence.js';
import { ResourceCheck } from './resource-check.js';
import type { RightQuestion, RightsStrategy } from './right-decision.js';
import { RIGHT_SOURCES, rightMemory, type TimedRight } from './right-source.js';
import { RightsRefusal, unanswered } from './rights-refusal.js';

export interface DelegationCheckOptions {
  readonly altinn: AltinnClient;
  readonly systemId: string;
  readonly strategy: RightsStrategy | undefined;
  readonly clock: Clock;
  readonly onWarning: (reason: string) => void;
}

/** System users known at a time; each takes a few hundred bytes. */
const MAX_ENTRIES = 10_000;

/**
 * The two questions about a customer, kept apart: is there a system user, and may it do this? A token proves the first
 * only, so neither question is ever answered from a token (architecture, decision 8).
 */
export class DelegationCheck {
  readonly resources: ResourceCheck;
  readonly strategy: RightsStrategy | undefined;
  readonly #options: DelegationCheckOptions;
  readonly #presence: PresenceCheck;
  readonly #rights: AnswerMemory<TimedRight>;
  /** Part of the key of remembered rights, so that forgetting one system user costs the same however many there are. */
  readonly #epochs = new LRUCache<string, number>({
    max: MAX_ENTRIES,
    // Below the epochs that are not known any more nothing is believed, or a forgotten yes would be found again.
    disposeAfter: (epoch, _key, reason) => {
      if (reason === 'evict') this.#oldestEpoch = Math.max(this.#oldestEpoch, epoch);
    },
  });
  #oldestEpoch = 0;
  #forgotten = 0;

  constructor(options: DelegationCheckOptions) {
    const { altinn, systemId, clock, onWarning } = options;
    this.#options = options;
    this.strategy = options.strategy;
    this.resources = new ResourceCheck({ altinn, systemId, clock });
    this.#presence = new PresenceCheck({
      altinn,
      systemId,
      clock,
      maxEntries: MAX_ENTRIES,
      onRequestUnreadable: (reason) => onWarning(`the status of a request could not be read: ${reason}`),
    });
    this.#rights = rightMemory(clock, MAX_ENTRIES);
  }

  /** @throws MaskinportenError when there is no answer */
  async presence(key: SystemUserKey, fresh = false): Promise<Presence> {
    return this.#presence.check(key, fresh);
  }

  /** @throws RightsRefusal for everything that is not a live system user */
  async requirePresent(key: SystemUserKey, fresh: boolean): Promise<SystemUser> {
    const presence = await this.#presence.check(key, fresh).catch((error: unknown) => {
      throw unanswered(error, { organisation: key.organisation });
    });
    if (presence.state === 'present') return presence.systemUser;
    throw absent(presence, key);
  }

  /** @throws RightsRefusal when there is no answer, or the resource does not exist */
  async right(
    key: SystemUserKey,
    systemUser: SystemUser,
    question: RightQuestion,
    fresh: boolean,
  ): Promise<TimedRight> {
    const { resource, action, party } = question;
    // With the id: what one system user was allowed says nothing about the next one of the same customer.
    const epoch = this.#epochs.get(memoryKey(key)) ?? this.#oldestEpoch;
    const memory = `${memoryKey(key)}${JSON.stringify([systemUser.id, resource, action, party, epoch])}`;
    try {
      const answer = await this.#rights.get(
        memory,
        async (signal) => this.#askRight({ key, systemUser, signal }, question),
        fresh,
      );
      if (answer.allowed) this.resources.confirm(resource);
      else await this.#refuseMistyped(resource, key);
      return answer;
    } catch (error) {
      if (isMaskinportenError(error, 'MP_SYSTEMUSER_MISSING')) throw await this.unknownToMaskinporten(key);
      throw unanswered(error, { organisation: key.organisation });
    }
  }

  /**
   * Maskinporten says MP-303: the customer has just deleted it – or the customer has it and our own set-up keeps
   * Maskinporten from finding it, which one fresh look tells apart (Altinn, MP-303).
   */
  async unknownToMaskinporten(key: SystemUserKey): Promise<RightsRefusal> {
    this.forget(key);
    try {
      await this.requirePresent(key, true);
    } catch (error) {
      return unanswered(error, { organisation: key.organisation });
    }
    return new RightsRefusal('system_user_misconfigured', {
      organisation: key.organisation,
      reason: 'the system user exists, but Maskinporten does not find it for this client',
      failures: [
        {
          field: 'MASKINPORTEN_CLIENT_ID',
          code: 'MP_SYSTEMUSER_MISSING',
          reason:
            'Altinn has the system user and Maskinporten does not: add the client id to the system in the register',
        },
      ],
    });
  }

  /** A downstream refusal: whatever is remembered about this system user is not believed any more. */
  forget(key: SystemUserKey): void {
    this.#presence.forget(key);
    this.#forgotten += 1;
    this.#epochs.set(memoryKey(key), this.#forgotten);
  }

  async #askRight(
    context: { readonly key: SystemUserKey; readonly systemUser: SystemUser; readonly signal: AbortSignal },
    question: RightQuestion,
  ): Promise<TimedRight> {
    const { altinn, systemId, strategy, clock } = this.#options;
    if (strategy === undefined) {
      throw new RightsRefusal('system_user_misconfigured', {
        reason: 'altinn.rights is not chosen and there is no subscription key for the PDP',
      });
    }
    const checkedAt = new Date(clock.wallMs());
    const answer = await RIGHT_SOURCES[strategy]({ altinn, systemId, ...context }, question);
    return { ...answer, checkedAt };
  }

  /** A customer must not be sent to Altinn for a right that does not exist (Altinn, access control). */
  async #refuseMistyped(resource: string, { organisation }: SystemUserKey): Promise<void> {
    if ((await this.resources.check(resource)) !== 'unknown') return;
    throw new RightsRefusal('system_user_misconfigured', {
      organisation,
      reason: `the resource ${JSON.stringify(resource)} is not one that Altinn knows for this system`,
      failures: [
        {
          field: 'resource',
          code: 'MP_CONFIG',
          reason: 'the resource is unknown in Altinn or not registered on the system',
        },
      ],
    });
  }
}

function absent(presence: Exclude<Presence, { state: 'present' }>, { organisation }: SystemUserKey): RightsRefusal {
  if (presence.state === 'pending') {
    return new RightsRefusal('system_user_request_pending', { organisation, confirmUrl: presence.confirmUrl });
  }
  const code = presence.state === 'rejected' ? 'system_user_request_rejected' : 'system_user_missing';
  return new RightsRefusal(code, { organisation });
}
