import type { ServerResponse } from 'node:http';
import {
  Injectable,
  type ArgumentsHost,
  Catch,
  HttpException,
  Logger,
  NotFoundException,
  UnauthorizedException,
  type ExceptionFilter,
} from '@nestjs/common';
import { isAxiosError } from 'axios';
import { MaskinportenError, problemDocument, DelegationError } from 'nestjs-maskinporten';
import { printable } from '../logging/index.js';
import { RequestMeta, type AnyRequest, contextOf } from '../requests/index.js';
import { apiProblem, describeCall } from './api-problem.js';
import { InvalidRequestException, problem, type Problem, UnavailableException } from './problem.js';

/** A problem document, and what its answer says besides. */
interface ProblemAnswer {
  readonly status: number;
  readonly retryAfterSeconds?: number;
}

/** What Express and Fastify responses have in common. */
interface HttpResponse {
  readonly raw?: ServerResponse;
  readonly headersSent?: boolean;
  status(code: number): HttpResponse;
  header(name: string, value: string): HttpResponse;
  send(body: string): unknown;
}

/** Sends problem documents, those to known callers with `_meta` as an extension member (RFC 9457 §3.2). */
@Injectable()
export class ProblemAnswers {
  constructor(private readonly meta: RequestMeta) {}

  /** When the answer has begun already, the connection is cut so that nobody takes it for whole. */
  send(host: ArgumentsHost, { retryAfterSeconds, ...body }: ProblemAnswer): void {
    const http = host.switchToHttp();
    const response = http.getResponse<HttpResponse & ServerResponse>();
    const raw: ServerResponse = response.raw ?? response;
    if (raw.headersSent) {
      raw.destroy();
      return;
    }
    response.status(body.status).header('content-type', 'application/problem+json');
    if (retryAfterSeconds !== undefined) response.header('retry-after', String(retryAfterSeconds));
    const meta = this.meta.of(http.getRequest<AnyRequest>());
    // Names of fields come from the caller, and other texts may.
    response.send(printable(JSON.stringify(meta === undefined ? body : { ...body, _meta: meta })));
  }
}

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

/** Gives denials of `@RequireSystemUser` as they are: their codes are what callers act on. The guard has logged them. */
@Catch(DelegationError)
export class DelegationProblemFilter implements ExceptionFilter<DelegationError> {
  constructor(private readonly answers: ProblemAnswers) {}

  catch(error: DelegationError, host: ArgumentsHost): void {
    const { retryAfterMs, ...body } = error.problem;
    this.answers.send(host, {
      ...body,
      ...(retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)) }),
    });
  }
}
