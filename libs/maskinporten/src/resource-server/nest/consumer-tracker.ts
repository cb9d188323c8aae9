import type { ExecutionContext } from '@nestjs/common';
import { currentConsumer } from './current-consumer.js';

/**
 * The key that `@nestjs/throttler` counts by: the organisation that calls, whatever addresses it calls from. Where no
 * token was verified before the throttler runs, the address. So put the `ThrottlerGuard` on the handler, above
 * `@RequireScope`: Nest runs guards of a handler from the lowest decorator up.
 *
 * @param request as the throttler gives it
 * @returns `organisation:…` or `address:…`
 * @example ThrottlerModule.forRoot({ throttlers: [{ ttl: 60_000, limit: 600 }], getTracker: consumerTracker });
 */
export function consumerTracker(request: Readonly<Record<string, unknown>>, context: ExecutionContext): string {
  const consumer = currentConsumer(context);
  if (consumer !== undefined) return `organisation:${consumer.organisation}`;
  return `address:${typeof request['ip'] === 'string' ? request['ip'] : 'unknown'}`;
}
