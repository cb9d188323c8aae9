import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { retryAfterSeconds } from '../basics/index.js';
import { MaskinportenError } from '../errors/index.js';
import { answerMessage } from '../handlers/index.js';
import { problemDocument, type MaskinportenProblem } from './problem-document.js';

/** What Express and Fastify responses have in common. */
interface HttpResponse {
  status(code: number): HttpResponse;
  header(name: string, value: string): HttpResponse;
  send(body: string): unknown;
}

/**
 * Answers a `MaskinportenError` that nobody handled with an RFC 9457 problem document (`application/problem+json`), in
 * every kind of handler: HTTP (Express and Fastify), RPC, GraphQL and WebSocket. Opt in, for one controller or for all.
 *
 * @example app.useGlobalFilters(new MaskinportenExceptionFilter());
 */
@Catch(MaskinportenError)
export class MaskinportenExceptionFilter implements ExceptionFilter<MaskinportenError> {
  catch(error: MaskinportenError, host: ArgumentsHost): unknown {
    const problem = problemDocument(error);
    switch (host.getType<string>()) {
      case 'http':
        return answerHttp(host.switchToHttp().getResponse<HttpResponse>(), problem);
      case 'ws':
      case 'rpc':
        return answerMessage(problem, host);
      default:
        // A GraphQL resolver that returns an error has failed with it; `extensions` is the place for more (spec §7.1.2).
        return Object.assign(new Error(problem.detail), { extensions: problem });
    }
  }
}

function answerHttp(response: HttpResponse, problem: MaskinportenProblem): void {
  response.status(problem.status).header('content-type', 'application/problem+json');
  if (problem.retryAfterMs !== undefined) {
    response.header('retry-after', String(retryAfterSeconds(problem.retryAfterMs)));
  }
  response.send(JSON.stringify(problem));
}
