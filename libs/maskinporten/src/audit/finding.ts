/** What is wrong with a log. */
export type AuditFindingKind =
  /** Its content, its number or its link to the record before is not what was written. */
  | 'altered'
  /** Records are missing between others. */
  | 'removed'
  /** A record, or a whole writer, that was never written by the log. */
  | 'inserted'
  /** Records stand in each other's place. */
  | 'reordered'
  /** A writer ends before a place that is known to have existed. */
  | 'tail-cut'
  /** Nothing is left of a writer that is known to have existed. */
  | 'writer-missing'
  /** A checkpoint that no known key has signed. */
  | 'bad-checkpoint';

export interface AuditFinding {
  readonly kind: AuditFindingKind;
  readonly writer: string;
  /** Number of the record; the first of several. */
  readonly seq: number;
  /** The last of several, when known. */
  readonly toSeq?: number | undefined;
  /** What was seen, in one sentence. */
  readonly detail: string;
  /** What to do about it, in one sentence. */
  readonly advice: string;
}

const ADVICE: Readonly<Record<AuditFindingKind, string>> = {
  altered:
    'Compare this record, and the one before, with a backup or with the logs of the APIs that were called (by jti).',
  removed: 'Restore the missing records from a backup into a copy of the table, and find out who could delete here.',
  inserted: 'Treat the record as false: the service did not write it. Find out who else can insert here.',
  reordered: 'Take the order from a backup; the contents are genuine.',
  'tail-cut':
    'Everything after this record is missing: restore it from a backup, or rule out a restore to an earlier time.',
  'writer-missing': 'All records of this process start are missing: restore them from a backup.',
  'bad-checkpoint': 'Give the public key that was in use then, if it was replaced; otherwise the checkpoint is false.',
};

export function finding(
  kind: AuditFindingKind,
  writer: string,
  seq: number,
  detail: string,
  toSeq?: number,
): AuditFinding {
  return { kind, writer, seq, toSeq, detail, advice: ADVICE[kind] };
}

/** Findings of one verification, one per record and so many in all. */
export class Findings {
  readonly #list: AuditFinding[] = [];
  readonly #limit: number;
  #count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get list(): readonly AuditFinding[] {
    return this.#list;
  }

  get count(): number {
    return this.#count;
  }

  add(found: AuditFinding): void {
    this.#count += 1;
    if (this.#list.length < this.#limit) this.#list.push(found);
  }
}
