import type { ExecutionContext } from '@nestjs/common';
import { isRecord } from '../basics/index.js';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * F-86: what may change something is checked again each time, since it cannot be taken back. Reading is what says so:
 * by its action, by a safe HTTP method or as a GraphQL query. A message says nothing by itself, and an action that was
 * left out says nothing either.
 */
export function needsFreshAnswer(context: ExecutionContext, action: string | undefined): boolean {
  if (action === 'read') return false;
  switch (context.getType<string>()) {
    case 'http': {
      const { method } = context.switchToHttp().getRequest<{ method?: unknown }>();
      return typeof method !== 'string' || !SAFE_METHODS.has(method.toUpperCase());
    }
    case 'graphql':
      // The fourth argument comes from the GraphQL library; the second from the caller, who must not decide this.
      return operationOf(context.getArgByIndex<unknown>(3)) !== 'query';
    default:
      return true;
  }
}

function operationOf(info: unknown): unknown {
  const operation: unknown = isRecord(info) ? info['operation'] : undefined;
  return isRecord(operation) ? operation['operation'] : undefined;
}
