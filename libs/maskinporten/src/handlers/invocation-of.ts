import type { ExecutionContext } from '@nestjs/common';

/**
 * What guards and interceptors of one call of one handler have in common: the request over HTTP, and otherwise the
 * list of arguments, because a WebSocket client or a GraphQL request is shared by many calls.
 */
export function invocationOf(context: ExecutionContext): object {
  return context.getType() === 'http' ? context.switchToHttp().getRequest<object>() : context.getArgs();
}
