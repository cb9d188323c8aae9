import { isWholeNumber, ownMembers } from '../basics/index.js';
import { createError } from '../errors/index.js';
import type { TokenRequest } from '../grants/index.js';
import type { MaskinportenToken } from '../tokens/index.js';

/** How far a run has come. */
export interface FanOutProgress {
  /** Items whose work succeeded. */
  readonly done: number;
  /** Items that failed, for want of a token or in their work. */
  readonly failed: number;
  /** Items whose work runs now. */
  readonly running: number;
  readonly total?: number | undefined;
  /** Items finished per second; time in which Maskinporten was down is not counted. */
  readonly perSecond: number;
  /** Milliseconds until all are finished, at that rate; undefined without `total`, and before the first is finished. */
  readonly etaMs?: number | undefined;
  /** Since when Maskinporten gives no tokens; undefined while it does. */
  readonly pausedSince?: Date | undefined;
}

export interface FanOutOptions<Item> {
  /** The token that the work for this item needs. */
  readonly request: (item: Item) => TokenRequest | string;
  /** Items worked on at a time. Default 16. */
  readonly concurrency?: number | undefined;
  /** Name of the client that asks. Default: the default client. */
  readonly client?: string | undefined;
  /** Ends the run: no more items are taken, the signal of the work fires, and the loop throws `MP_ABORTED` after what still runs. */
  readonly signal?: AbortSignal | undefined;
  /** Number of items, for the remaining time in `onProgress`. */
  readonly total?: number | undefined;
  /** Called after each item, and when an outage begins or ends. What it throws is ignored. */
  readonly onProgress?: ((progress: FanOutProgress) => void) | undefined;
  /** Milliseconds that an outage of Maskinporten is waited out before items fail because of it. Default 900,000. */
  readonly maxOutageMs?: number | undefined;
}

/** What is done for one item. It runs once at most, in a context with its token. */
export type FanOutWork<Item, Value> = (
  item: Item,
  context: { readonly token: MaskinportenToken; readonly signal: AbortSignal },
) => Promise<Value>;

export type FanOutOutcome<Item, Value> = { readonly item: Item } & (
  { readonly status: 'done'; readonly value: Value } | { readonly status: 'failed'; readonly error: unknown }
);

const DEFAULT_CONCURRENCY = 16;
const MAX_CONCURRENCY = 1_000;
const DEFAULT_MAX_OUTAGE_MS = 900_000;

/** @throws TokenRequestInvalidError (`MP_REQUEST`) naming the option that is wrong. */
export function checkedOptions<Item>(
  given: FanOutOptions<Item>,
): FanOutOptions<Item> & { readonly concurrency: number; readonly maxOutageMs: number } {
  const options = ownMembers(given);
  const { request, concurrency = DEFAULT_CONCURRENCY, maxOutageMs = DEFAULT_MAX_OUTAGE_MS } = options;
  if (typeof request !== 'function') refuse('request', 'must be a function that gives the token request of an item');
  if (!isWholeNumber(concurrency, 1, MAX_CONCURRENCY)) {
    refuse('concurrency', `must be a whole number between 1 and ${MAX_CONCURRENCY}`);
  }
  if (!Number.isFinite(maxOutageMs) || maxOutageMs < 0) refuse('maxOutageMs', 'must be a number of milliseconds');
  return { ...options, concurrency, maxOutageMs };
}

function refuse(field: string, reason: string): never {
  throw createError('MP_REQUEST', { message: `${field} ${reason}.`, field });
}
