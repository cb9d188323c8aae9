import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, type NestMiddleware } from '@nestjs/common';
import { RequestContext } from 'nestjs-maskinporten';
import { rememberContext } from './contexts.js';

/**
 * Gives each request an id of its own, which its answer carries as `X-Request-Id`, and a context that everything done for
 * it can find. An id that the caller sends is not taken: ours is what the audit log is asked for.
 */
@Injectable()
export class RequestContextMiddleware implements NestMiddleware {
  use(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    const { traceparent } = request.headers;
    const context = new RequestContext({
      requestId: randomUUID(),
      traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    });
    rememberContext(request, context);
    response.setHeader('x-request-id', context.requestId);
    RequestContext.run(context, next);
  }
}
