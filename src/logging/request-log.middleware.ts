import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, Logger, type NestMiddleware } from '@nestjs/common';

const ids = new WeakMap<IncomingMessage, string>();

/** The id of a request, which its answer carries as `X-Request-Id`. */
export function requestIdOf(request: IncomingMessage | { readonly raw: IncomingMessage }): string | undefined {
  return ids.get('raw' in request ? request.raw : request);
}

/** Gives each request an id of its own and writes one line when it is over. */
@Injectable()
export class RequestLogMiddleware implements NestMiddleware {
  readonly #logger = new Logger('Request');

  use(request: IncomingMessage & { originalUrl?: string }, response: ServerResponse, next: () => void): void {
    const requestId = randomUUID();
    ids.set(request, requestId);
    response.setHeader('x-request-id', requestId);
    const startedMs = performance.now();
    // The query is left out: people put identifiers there.
    const [path = '/'] = (request.originalUrl ?? request.url ?? '/').split('?', 1);
    response.once('close', () => {
      this.#logger.log({
        message: 'request',
        requestId,
        method: request.method,
        path,
        status: response.statusCode,
        durationMs: Math.round(performance.now() - startedMs),
        ...(response.writableFinished ? {} : { aborted: true }),
      });
    });
    next();
  }
}
