import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, Logger, type NestMiddleware } from '@nestjs/common';
import { RequestContext } from 'nestjs-maskinporten';
import { contextOf } from '../requests/index.js';

/** Asked every few seconds by platforms and monitors; what they ask for is what they are told already. */
const PROBES = /^\/(?:health(?:\/|$)|metrics$)/;

/** Writes one line for each request when it is over. It stands behind the middleware that gives it its context. */
@Injectable()
export class RequestLogMiddleware implements NestMiddleware {
  readonly #logger = new Logger('Request');

  use(request: IncomingMessage & { originalUrl?: string }, response: ServerResponse, next: () => void): void {
    const context = contextOf(request);
    const startedMs = performance.now();
    // The query is left out: people put identifiers there.
    const [path = '/'] = (request.originalUrl ?? request.url ?? '/').split('?', 1);
    const write = (): void => {
      const line = {
        message: 'request',
        method: request.method,
        path,
        caller: context?.caller,
        status: response.statusCode,
        durationMs: Math.round(performance.now() - startedMs),
        ...(response.writableFinished ? {} : { aborted: true }),
      };
      if (PROBES.test(path)) this.#logger.debug(line);
      else this.#logger.log(line);
    };
    // The end of an answer is an event of the socket, and not a part of the request.
    response.once('close', () => (context === undefined ? write() : RequestContext.run(context, write)));
    next();
  }
}
