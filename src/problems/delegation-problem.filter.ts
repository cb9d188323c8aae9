import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { DelegationError } from 'nestjs-maskinporten';
import { ProblemAnswers } from './problem-answers.js';

/** Gives denials of `@RequireSystemUser` as they are: their codes are what callers act on. The guard has logged them. */
@Catch(DelegationError)
export class DelegationProblemFilter implements ExceptionFilter<DelegationError> {
  constructor(private readonly answers: ProblemAnswers) {}

  catch({ problem }: DelegationError, host: ArgumentsHost): void {
    const { retryAfterMs, ...body } = problem;
    this.answers.send(host, {
      ...body,
      ...(retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)) }),
    });
  }
}
