import type { AltinnClient, PdpQuestion } from '../altinn/index.js';
import { systemClock, type Clock } from '../basics/index.js';
import type { RegisteredClient } from '../signals/index.js';
import type { AnswerMemory } from './answer-memory.js';
import { askPdp, rightMemory, type TimedRight } from './right-source.js';
import { RightsRefusal, unanswered } from './rights-refusal.js';

/** A client of the application as the provider's side needs it: `registry.get(name).rights`. */
export interface RightsClient extends RegisteredClient {
  readonly rights: DelegatedRights;
}

/** System users known at a time; each takes a few hundred bytes. */
const MAX_ENTRIES = 10_000;

/**
 * The provider's question: may the system user of a token that was presented to us do this? The system user is that of
 * another vendor, so only the policy decision point can answer, asked with the token and subscription key of our own
 * client. Memory and failures are as for our own system users: whatever is not a clear yes does not let anybody pass.
 */
export class DelegatedRights {
  readonly #altinn: Pick<AltinnClient, 'pdp'> | undefined;
  readonly #clock: Clock;
  readonly #answers: AnswerMemory<TimedRight>;

  /** @param options.altinn undefined when no platform is configured; every question is refused then */
  constructor({ altinn, clock = systemClock }: { altinn: Pick<AltinnClient, 'pdp'> | undefined; clock?: Clock }) {
    this.#altinn = altinn;
    this.#clock = clock;
    this.#answers = rightMemory(clock, MAX_ENTRIES);
  }

  /**
   * @param question `systemUserId` and `party` as they were verified in the token, never as the caller writes them
   * @param fresh asks again although a yes of the last 30 s is remembered. Default false
   * @throws RightsRefusal (`delegation_unknown`, `system_user_misconfigured`) when there is no answer
   * @example
   * const { allowed } = await rights.check({ systemUserId, resource: 'acme-things', action: 'read', party: '310000027' });
   */
  async check(question: PdpQuestion, fresh = false): Promise<TimedRight> {
    const { systemUserId, resource, action, party } = question;
    const altinn = this.#altinn;
    if (altinn === undefined) {
      throw new RightsRefusal('system_user_misconfigured', {
        organisation: party,
        reason: 'altinn.platformUrl is not set, and there is no environment to take it from',
      });
    }
    try {
      return await this.#answers.get(
        keyOf(question),
        async (signal) => {
          const checkedAt = new Date(this.#clock.wallMs());
          const permitted = await askPdp(altinn, { systemUserId, resource, action, party }, signal);
          return permitted ? { allowed: true, checkedAt } : { allowed: false, code: 'right_missing', checkedAt };
        },
        fresh,
      );
    } catch (error) {
      throw unanswered(error, { organisation: party });
    }
  }

  /** Nothing that is remembered about this question is used again. */
  forget(question: PdpQuestion): void {
    this.#answers.forget(keyOf(question));
  }
}

const keyOf = ({ systemUserId, resource, action, party }: PdpQuestion): string =>
  JSON.stringify([systemUserId, resource, action, party]);
