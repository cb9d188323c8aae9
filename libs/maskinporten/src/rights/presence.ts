import { isFinal, type AltinnClient, type SystemUser, type SystemUserKey } from '../altinn/index.js';
import { isMaskinportenError } from '../errors/index.js';
import type { Clock } from '../basics/index.js';
import { AnswerMemory, NEGATIVE_MS, POSITIVE_MS } from './answer-memory.js';

/** Is there a system user, and if not, what became of the request for one? */
export type Presence =
  | { readonly state: 'present'; readonly systemUser: SystemUser }
  | { readonly state: 'missing' }
  | { readonly state: 'pending'; readonly confirmUrl: string | undefined }
  | { readonly state: 'rejected' };

export interface PresenceOptions {
  readonly altinn: Pick<AltinnClient, 'systemUsers' | 'requests'>;
  readonly systemId: string;
  readonly clock: Clock;
  readonly maxEntries: number;
  /** The status of the request could not be read, so a customer whose request is waiting is asked to send one. */
  readonly onRequestUnreadable: (reason: string) => void;
}

/** The one spelling of a system user's key: a reference that is the organisation's own number is the default one (F-89). */
export function keyOf(organisation: string, externalRef: string | undefined): SystemUserKey {
  return externalRef === undefined || externalRef === organisation ? { organisation } : { organisation, externalRef };
}

/** Injective, and a prefix of nothing but itself and what is asked about the same system user. */
export const memoryKey = ({ organisation, externalRef }: SystemUserKey): string =>
  `${JSON.stringify([organisation, externalRef ?? null])} `;

/** Presence of system users: yes for 30 s, no for 2 s, because the customer may be approving right now. */
export class PresenceCheck {
  readonly #options: PresenceOptions;
  readonly #memory: AnswerMemory<Presence>;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#memory = new AnswerMemory({
      clock: options.clock,
      maxEntries: options.maxEntries,
      lifetime: ({ state }) =>
        state === 'present' ? { forMs: POSITIVE_MS, negative: false } : { forMs: NEGATIVE_MS, negative: true },
    });
  }

  /** @throws MaskinportenError when there is no answer */
  async check(key: SystemUserKey, fresh: boolean): Promise<Presence> {
    return this.#memory.get(memoryKey(key), async (signal) => this.#ask(key, signal), fresh);
  }

  forget(key: SystemUserKey): void {
    this.#memory.forget(memoryKey(key));
  }

  async #ask(key: SystemUserKey, signal: AbortSignal): Promise<Presence> {
    const { altinn, systemId } = this.#options;
    const systemUser = await altinn.systemUsers.find(systemId, key, signal);
    return systemUser === undefined ? this.#requested(key, signal) : { state: 'present', systemUser };
  }

  async #requested(key: SystemUserKey, signal: AbortSignal): Promise<Presence> {
    const { altinn, systemId } = this.#options;
    try {
      const request =
        (await altinn.requests.findByKey('standard', systemId, key, signal)) ??
        (await altinn.requests.findByKey('agent', systemId, key, signal));
      if (request === undefined) return { state: 'missing' };
      if (!isFinal(request.status)) return { state: 'pending', confirmUrl: request.confirmUrl };
      // Accepted, but not there: the customer has deleted it since.
      return { state: request.status === 'Rejected' || request.status === 'Denied' ? 'rejected' : 'missing' };
    } catch (error) {
      if (!isMaskinportenError(error)) throw error;
      // That there is no system user is certain; only the next step is not.
      this.#options.onRequestUnreadable(error.message);
      return { state: 'missing' };
    }
  }
}
