import { Catch, Logger, type ArgumentsHost } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { MaskinportenError, MaskinportenExceptionFilter } from 'nestjs-maskinporten';
import { requestIdOf } from '../logging/index.js';

/** The module's own filter, which also says in the log which request got which answer. */
@Catch(MaskinportenError)
export class MaskinportenProblemFilter extends MaskinportenExceptionFilter {
  readonly #logger = new Logger('Problem');

  override catch(error: MaskinportenError, host: ArgumentsHost): unknown {
    const requestId = requestIdOf(host.switchToHttp().getRequest<IncomingMessage>());
    const { code, mpCode, traceId, actBy, hint } = error;
    this.#logger.warn({ message: 'no token for a call', requestId, code, mpCode, traceId, actBy, hint: hint.en });
    // eslint-disable-next-line promise/valid-params -- the method of a filter, not of a promise
    return super.catch(error, host);
  }
}
