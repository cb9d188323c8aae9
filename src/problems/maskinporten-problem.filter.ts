import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { MaskinportenError, problemDocument } from 'nestjs-maskinporten';
import { ProblemAnswers } from './problem-answers.js';

/** Until nothing better is known: about as long as the circuit stays open after a first failure. */
const RETRY_AFTER_MS = 2_000;

/** The document of the module's own filter, with `_meta`; the log says what only we should know. */
@Catch(MaskinportenError)
export class MaskinportenProblemFilter implements ExceptionFilter<MaskinportenError> {
  readonly #logger = new Logger('Problem');

  constructor(private readonly answers: ProblemAnswers) {}

  catch(error: MaskinportenError, host: ArgumentsHost): void {
    const { code, mpCode, traceId, actBy, hint } = error;
    this.#logger.warn({ message: 'a call was not made', code, mpCode, traceId, actBy, hint: hint.en });
    const document = problemDocument(error);
    const retryAfterMs = document.retryAfterMs ?? (document.status === 503 ? RETRY_AFTER_MS : undefined);
    this.answers.send(host, {
      ...document,
      ...(retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)) }),
    });
  }
}
