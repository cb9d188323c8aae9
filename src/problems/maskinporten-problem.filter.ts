import { Catch, Logger, type ArgumentsHost } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { MaskinportenError, MaskinportenExceptionFilter, problemStatus } from 'nestjs-maskinporten';
import { requestIdOf } from '../logging/index.js';

/** Until nothing better is known: about as long as the circuit stays open after a first failure. */
const RETRY_AFTER_SECONDS = '2';

/** The module's own filter, which also says in the log which request got which answer. */
@Catch(MaskinportenError)
export class MaskinportenProblemFilter extends MaskinportenExceptionFilter {
  readonly #logger = new Logger('Problem');

  override catch(error: MaskinportenError, host: ArgumentsHost): unknown {
    const requestId = requestIdOf(host.switchToHttp().getRequest<IncomingMessage>());
    const { code, mpCode, traceId, actBy, hint } = error;
    this.#logger.warn({ message: 'no token for a call', requestId, code, mpCode, traceId, actBy, hint: hint.en });
    if (problemStatus(error) === 503 && error.retryAfterMs === undefined) {
      host
        .switchToHttp()
        .getResponse<{ header(name: string, value: string): unknown }>()
        .header('retry-after', RETRY_AFTER_SECONDS);
    }
    // eslint-disable-next-line promise/valid-params -- the method of a filter, not of a promise
    return super.catch(error, host);
  }
}
