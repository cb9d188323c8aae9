import { isWholeNumber, notWholeNumber } from '../basics/index.js';
import type { ConfigurationFailures } from '../errors/index.js';

/** What may be tuned; unknown, because JavaScript callers and environment variables give anything. */
interface Tuning {
  readonly tokens?: { readonly refreshAt?: unknown; readonly maxEntries?: unknown } | undefined;
  readonly retry?:
    { readonly attempts?: unknown; readonly attemptTimeoutMs?: unknown; readonly deadlineMs?: unknown } | undefined;
}

/** Refuses values that would otherwise show only under load: no attempts, deadlines that timers cannot hold (T-65). */
export function checkTuning({ tokens, retry }: Tuning, failures: ConfigurationFailures): void {
  const whole = (field: string, value: unknown, most: number): void => {
    if (value === undefined || isWholeNumber(value, 1, most)) return;
    failures.add(field, notWholeNumber(1, most));
  };
  whole('tokens.maxEntries', tokens?.maxEntries, 1_000_000);
  whole('retry.attempts', retry?.attempts, 10);
  whole('retry.attemptTimeoutMs', retry?.attemptTimeoutMs, 60_000);
  whole('retry.deadlineMs', retry?.deadlineMs, 300_000);
  if (tokens?.refreshAt !== undefined && !isWindow(tokens.refreshAt)) {
    failures.add('tokens.refreshAt', 'must be two shares of a life between 0 and 1, such as [0.5, 0.75]');
  }
}

function isWindow(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [from, to] = value as unknown[];
  return typeof from === 'number' && typeof to === 'number' && from > 0 && from <= to && to < 1;
}
