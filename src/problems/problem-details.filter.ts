import {
  Catch,
  HttpException,
  Logger,
  NotFoundException,
  UnauthorizedException,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { isAxiosError } from 'axios';
import { contextOf, type AnyRequest } from '../requests/index.js';
import { apiProblem, describeCall } from './api-problem.js';
import { InvalidRequestException } from './invalid-request.exception.js';
import { problem, type Problem } from './problem.js';
import { ProblemAnswers } from './problem-answers.js';
import { UnavailableException } from './unavailable.exception.js';

const RETRY_AFTER_SECONDS = 2;

/**
 * Makes a problem document (RFC 9457) of everything that a handler did not catch, except what
 * `MaskinportenExceptionFilter` takes. An error of the HTTP client is never given to the logger: it holds headers and
 * bodies (T-03).
 */
@Catch()
export class ProblemDetailsFilter implements ExceptionFilter {
  readonly #logger = new Logger('Problem');

  constructor(private readonly answers: ProblemAnswers) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const isKnown = contextOf(host.switchToHttp().getRequest<AnyRequest>())?.caller !== undefined;
    this.answers.send(host, this.#describe(error, isKnown));
  }

  #describe(error: unknown, isKnown: boolean): Problem {
    if (isAxiosError(error)) {
      this.#logger.warn({ message: 'call to an API failed', ...describeCall(error) });
      return apiProblem(error);
    }
    if (error instanceof InvalidRequestException) {
      return problem(400, error.message, { code: 'INVALID_REQUEST', failures: error.failures });
    }
    if (error instanceof UnavailableException) {
      const { message: detail, failures } = error;
      this.#logger.warn({
        message: 'something that is needed does not answer',
        failures: failures.map(({ code }) => code),
      });
      return { ...problem(503, detail, { failures }), retryAfterSeconds: RETRY_AFTER_SECONDS };
    }
    const status = statusOf(error);
    if (status < 500) {
      return problem(status, messageOf(error, isKnown));
    }
    this.#logger.error({
      message: 'unexpected error',
      error: error instanceof Error ? error.name : typeof error,
      // The stack of our own code is what helps; its first lines repeat the message, which is cleaned like every line.
      stack: error instanceof Error ? error.stack : undefined,
    });
    return problem(status, 'The service failed.', {
      failures: [
        { field: 'service', code: 'UNEXPECTED', reason: 'An unexpected error; the log has it under the request id.' },
      ],
    });
  }
}

/**
 * Nest repeats the whole address of an unknown route, and body parsers what they could not read; people put person numbers
 * in both. What fails before the guard knows the caller is the router or a parser, or the missing key.
 */
function messageOf(error: unknown, isKnown: boolean): string {
  if (error instanceof NotFoundException && error.message.startsWith('Cannot ')) return 'There is no such route.';
  const isOurs = error instanceof HttpException && (isKnown || error instanceof UnauthorizedException);
  return isOurs ? error.message : 'The request cannot be read.';
}

/** Nest's own exceptions have a status, and so have those of the body parsers (`http-errors`). */
function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  const status: unknown = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status <= 599 ? status : 500;
}
