import type { IncomingMessage, ServerResponse } from 'node:http';
import { randomUUID } from 'node:crypto';
import { RequestContext } from 'nestjs-maskinporten';
import { Injectable, type NestMiddleware } from '@nestjs/common';

/** A request as Node has it, or as Fastify wraps it. */
export type AnyRequest = IncomingMessage | { readonly raw: IncomingMessage };

const contexts = new WeakMap<IncomingMessage, RequestContext>();

/** The context of a request; undefined when it failed before it had one, as a body does that cannot be parsed. */
export function contextOf(request: AnyRequest): RequestContext | undefined {
  return contexts.get('raw' in request ? request.raw : request);
}

/** For the middleware alone. */
export function rememberContext(request: IncomingMessage, context: RequestContext): void {
  contexts.set(request, context);
}

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
