import { parseHttpDate } from '../basics/index.js';
/** Longest time a server can make us wait, in milliseconds. */
const MAX_WAIT_MS = 60_000;

/**
 * Reads `Retry-After` (RFC 9110 §10.2.3): whole seconds or an HTTP-date in GMT.
 *
 * @param nowMs the server's time, to compare a date with
 * @returns milliseconds to wait, at most 60,000; undefined when the header is absent or says nothing usable
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text) * 1000, MAX_WAIT_MS);
  const atMs = parseHttpDate(text);
  return atMs === undefined ? undefined : Math.min(Math.max(atMs - nowMs, 0), MAX_WAIT_MS);
}
