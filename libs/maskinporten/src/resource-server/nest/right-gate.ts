import { Injectable, Logger, Optional, type ExecutionContext } from '@nestjs/common';
import { parseOrganisationNumber } from '../../grants/index.js';
import { needsFreshAnswer } from '../../handlers/index.js';
import { RightsRefusal, type RightsClient } from '../../rights/index.js';
import { ClientRegistry, DEFAULT_CLIENT } from '../../signals/index.js';
import type { Consumer } from '../verification/consumer.js';
import { InboundCallError } from './inbound-error.js';
import type { RightRequirement } from './requirements.js';

/** Asks Altinn about the system user of a token, with this application's own client. */
@Injectable()
export class RightGate {
  readonly #logger = new Logger('MaskinportenResourceServer');

  constructor(@Optional() private readonly clients?: ClientRegistry<RightsClient>) {}

  /** Why the right cannot be asked for at all; undefined when it can. */
  problemOf({ client = DEFAULT_CLIENT }: RightRequirement): string | undefined {
    if (this.clients === undefined) {
      return 'asks Altinn with a client of this application: import MaskinportenModule too';
    }
    if (this.clients.has(client)) return undefined;
    const known = this.clients.names.join(', ');
    return `there is no client called ${JSON.stringify(client.slice(0, 64))}; known are ${known}`;
  }

  /**
   * @returns for whom the right was asked
   * @throws InboundCallError (`right_missing`, `delegation_unknown`) for everything but a clear yes
   */
  async require({ systemUser }: Consumer, right: RightRequirement, context: ExecutionContext): Promise<string> {
    if (systemUser === undefined) {
      throw new InboundCallError('right_missing', { detail: 'The token is not that of a system user.' });
    }
    const { resource, action, client = DEFAULT_CLIENT } = right;
    const party =
      right.party === undefined ? systemUser.organisation : parseOrganisationNumber(await right.party(context));
    if (party === undefined) {
      throw new InboundCallError('right_missing', { detail: 'The call does not name an organisation.' });
    }
    const question = { systemUserId: systemUser.id, resource, action, party };
    try {
      const rights = this.clients?.get(client).rights;
      const answer = await rights?.check(question, needsFreshAnswer(context, action));
      if (answer?.allowed === true) return party;
    } catch (error) {
      throw this.#unanswered(error);
    }
    const detail = `Altinn does not give this system user the right ${action} on ${resource} for the organisation.`;
    throw new InboundCallError('right_missing', { detail });
  }

  /** What is wrong on our side is nothing for the caller, who can only come again. */
  #unanswered(error: unknown): InboundCallError {
    const details = error instanceof RightsRefusal ? error.details : { reason: 'the client has been closed' };
    const { reason, failures, retryAfterMs } = details;
    this.#logger.error({ message: 'a right could not be asked for', reason, failures });
    return new InboundCallError('delegation_unknown', {
      detail: 'Altinn could not be asked about the right of the system user.',
      retryAfterMs,
    });
  }
}
