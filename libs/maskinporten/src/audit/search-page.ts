import { isUuid, isWholeNumber, notWholeNumber } from '../basics/index.js';
import type { AuditSearch } from './audit-store.js';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
/** Four digits, and no year that a database does not have. */
const DATE = /^(?!0000|9999)\d{4}-\d{2}-\d{2}/;

/** Where a page ended. */
export interface SearchPosition {
  readonly at: string;
  readonly writer: string;
  readonly seq: number;
}

export interface CheckedSearch {
  readonly organisation: string;
  /** First instant of the day, and of the day after. */
  readonly from: string;
  readonly to: string;
  readonly after?: SearchPosition;
  readonly limit: number;
}

export function cursorOf({ at, writer, seq }: SearchPosition): string {
  return Buffer.from(JSON.stringify([at, writer, seq])).toString('base64url');
}

function positionOf(cursor: string): SearchPosition {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw new RangeError('after: not a cursor of this search');
  }
  const [at, writer, seq] = Array.isArray(parsed) ? (parsed as unknown[]) : [];
  const isPosition =
    typeof at === 'string' &&
    DATE.test(at) &&
    !Number.isNaN(Date.parse(at)) &&
    isUuid(writer) &&
    Number.isSafeInteger(seq);
  if (!isPosition) throw new RangeError('after: not a cursor of this search');
  return { at: new Date(at).toISOString(), writer, seq: seq as number };
}

function dayAfter(day: string): string {
  const from = day.length === 10 && DATE.test(day) ? new Date(`${day}T00:00:00.000Z`) : undefined;
  // JavaScript takes the 31st of February for the 3rd of March.
  if (from === undefined || Number.isNaN(from.getTime()) || from.toISOString().slice(0, 10) !== day) {
    throw new RangeError('day: must be a date, as YYYY-MM-DD');
  }
  return new Date(from.getTime() + 86_400_000).toISOString();
}

/** @throws RangeError when day, limit or cursor is malformed */
export function checkSearch({ organisation, day, after, limit = DEFAULT_LIMIT }: AuditSearch): CheckedSearch {
  if (!isWholeNumber(limit, 1, MAX_LIMIT)) {
    throw new RangeError(`limit: ${notWholeNumber(1, MAX_LIMIT)}`);
  }
  return {
    organisation,
    to: dayAfter(day),
    from: `${day}T00:00:00.000Z`,
    ...(after === undefined ? {} : { after: positionOf(after) }),
    limit,
  };
}
