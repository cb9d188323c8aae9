import type { ExecutionContext } from '@nestjs/common';
import { isRecord } from '../../basics/index.js';

interface MatchedRequest {
  readonly method?: unknown;
  /** Express. */
  readonly route?: unknown;
  /** Fastify. */
  readonly routeOptions?: unknown;
}

/** The HTTP method of a call; undefined for messages. */
export function methodOf(context: ExecutionContext): string | undefined {
  if (context.getType() !== 'http') return undefined;
  const { method } = context.switchToHttp().getRequest<MatchedRequest>();
  return typeof method === 'string' ? method : undefined;
}

/** The route that was matched, with `{names}` in place of values: a path itself may hold person numbers (T-83). */
export function routeOf(context: ExecutionContext): string {
  const path = context.getType() === 'http' ? pathOf(context.switchToHttp().getRequest<MatchedRequest>()) : undefined;
  return path?.replaceAll(/[:*](\w+)/g, '{$1}') ?? `${context.getClass().name}.${context.getHandler().name}`;
}

function pathOf({ route, routeOptions }: MatchedRequest): string | undefined {
  const path = isRecord(route) ? route['path'] : isRecord(routeOptions) ? routeOptions['url'] : undefined;
  return typeof path === 'string' ? path : undefined;
}
