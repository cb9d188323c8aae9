import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { DelegationError } from 'nestjs-maskinporten';
import { sendProblem } from './send-problem.js';

/** Gives denials of `@RequireSystemUser` as they are: their codes are what callers act on. The guard has logged them. */
@Catch(DelegationError)
export class DelegationProblemFilter implements ExceptionFilter<DelegationError> {
  catch({ problem }: DelegationError, host: ArgumentsHost): void {
    const { retryAfterMs, ...body } = problem;
    sendProblem(host, {
      ...body,
      ...(retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)) }),
    });
  }
}
