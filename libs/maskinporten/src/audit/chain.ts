import { createHash } from 'node:crypto';
import { SEALED_MEMBERS, type AuditRecord } from './audit-record.js';

/** What the first record of a writer names as the one before. */
export const GENESIS = '0'.repeat(64);

const FORMAT = 'maskinporten-audit-1';

export type UnsealedRecord = Omit<AuditRecord, 'hash'>;

/** How far a writer has come. */
export interface AuditHead {
  readonly writer: string;
  readonly seq: number;
  readonly hash: string;
}

/**
 * The text that is hashed: the canonical JSON (RFC 8785) of one array, the format's name first, absent members as
 * `null`. A fixed order and JSON's own quoting make it unambiguous, and anybody can compute it with other tools.
 */
export function canonicalText(record: UnsealedRecord): string {
  return JSON.stringify([FORMAT, ...SEALED_MEMBERS.map((member) => record[member] ?? null)]);
}

/** SHA-256 of {@link canonicalText}, in hex. */
export function hashOf(record: UnsealedRecord): string {
  return createHash('sha256').update(canonicalText(record)).digest('hex');
}

export function seal(record: UnsealedRecord): AuditRecord {
  return Object.freeze({ ...record, hash: hashOf(record) });
}
