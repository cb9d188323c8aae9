import type { AuditCheckpoint, AuditRecord } from '../audit/index.js';
import type { Row } from './audit-database.js';

type Member = keyof AuditRecord;

/** Column of each member that the database has under another name. */
const RENAMED: Readonly<Partial<Record<Member, string>>> = {
  requestId: 'request_id',
  callId: 'call_id',
  pathTemplate: 'path_template',
  errorCode: 'error_code',
  durationMs: 'duration_ms',
  externalRef: 'external_ref',
  rulebookVersion: 'rulebook_version',
  earlierWriter: 'earlier_writer',
  earlierSeq: 'earlier_seq',
  earlierHash: 'earlier_hash',
};
const NUMBERS: ReadonlySet<Member> = new Set<Member>(['seq', 'status', 'durationMs', 'lost', 'earlierSeq']);

/**
 * Microseconds, although we write milliseconds, and the era, although ours is always the same: a time that was moved must
 * not look as it was.
 */
const TIME = `to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"AD') AS at`;

const columnOf = (member: Member): string => RENAMED[member] ?? member;

/** The select list for {@link recordOf}. */
export const recordColumns = (members: readonly Member[]): string =>
  members.map((member) => (member === 'at' ? TIME : columnOf(member))).join(', ');

export const CHECKPOINT_COLUMNS = `writer, seq, hash, ${TIME}, key_id, signature`;

/** `.123000ZAD` is what we wrote as `.123Z`. */
const timeOf = (text: unknown): string => String(text).replace(/(\.\d{3})000ZAD$/, '$1Z');

export function rowOf(record: AuditRecord): Row {
  return Object.fromEntries(Object.entries(record).map(([member, value]) => [columnOf(member as Member), value]));
}

export function recordOf(row: Row, members: readonly Member[]): AuditRecord {
  const record: Record<string, unknown> = {};
  for (const member of members) {
    const value = row[columnOf(member)];
    if (value === null || value === undefined) continue;
    record[member] = member === 'at' ? timeOf(value) : NUMBERS.has(member) ? Number(value) : value;
  }
  return record as unknown as AuditRecord;
}

export function checkpointRowOf({ keyId, ...checkpoint }: AuditCheckpoint): Row {
  return { ...checkpoint, key_id: keyId };
}

export function checkpointOf(row: Row): AuditCheckpoint {
  return {
    writer: String(row['writer']),
    seq: Number(row['seq']),
    hash: String(row['hash']),
    at: timeOf(row['at']),
    keyId: String(row['key_id']),
    signature: String(row['signature']),
  };
}
