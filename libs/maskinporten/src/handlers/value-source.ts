import type { ExecutionContext } from '@nestjs/common';
import { read } from './own-property.js';

/** Finds a value in what a handler was called with. */
export type ValueSource = (context: ExecutionContext) => unknown;

/**
 * The route parameter of that name. In GraphQL it is an argument, in messages a field of the payload.
 *
 * @example @RequireSystemUser({ organisation: fromParam('orgno'), resource: 'ske-krav-og-betalinger' })
 */
export function fromParam(name: string): ValueSource {
  return (context) => inputOf(context, 'params', [name]);
}

/**
 * The field of the body; dots go into objects. In GraphQL it is an argument, in messages a field of the payload.
 *
 * @example fromBody('customer.orgno')
 */
export function fromBody(path: string): ValueSource {
  const names = path.split('.');
  return (context) => inputOf(context, 'body', names);
}

function inputOf(context: ExecutionContext, part: 'params' | 'body', names: readonly string[]): unknown {
  switch (context.getType<string>()) {
    case 'http':
      return read(context.switchToHttp().getRequest<unknown>(), [part, ...names]);
    case 'rpc':
      return read(context.switchToRpc().getData<unknown>(), names);
    case 'ws':
      return read(context.switchToWs().getData<unknown>(), names);
    case 'graphql':
      // A resolver is called with (root, args, context, info).
      return read(context.getArgByIndex<unknown>(1), names);
    default:
      return undefined;
  }
}
