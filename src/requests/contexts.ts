import type { IncomingMessage } from 'node:http';
import type { RequestContext } from 'nestjs-maskinporten';

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
