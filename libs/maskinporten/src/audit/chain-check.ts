import type { AuditRecord } from './audit-record.js';
import { GENESIS, hashOf } from './chain.js';
import { finding, type Findings } from './finding.js';

/** Misfits of one writer that are compared with each other; more than that is not an exchange of a few records. */
const MAX_MISFITS = 200;

/** Follows the records of one writer in order and says where they are not what was written. Keeps a few of them. */
export class ChainCheck {
  readonly writer: string;
  readonly #findings: Findings;
  /** Numbers of this writer that something was found at; as many as there are findings. */
  readonly #reported = new Set<number>();
  readonly #misfits: AuditRecord[] = [];
  /** Hashes that the next record may name. */
  #links: string[] = [GENESIS];
  #seq = 0;
  #count = 0;
  #isClosed = false;

  constructor(writer: string, findings: Findings) {
    this.writer = writer;
    this.#findings = findings;
  }

  /** The last number that was seen. */
  get seq(): number {
    return this.#seq;
  }

  get count(): number {
    return this.#count;
  }

  /** The hash that the record of the last number has, or had. */
  get links(): readonly string[] {
    return this.#links;
  }

  /** True when something was found after `seq`. */
  foundAfter(seq: number): boolean {
    return [...this.#reported].some((reported) => reported > seq);
  }

  take(record: AuditRecord): void {
    const { hash, ...unsealed } = record;
    const computed = hashOf(unsealed);
    const isWhole = computed === hash;
    this.#count += 1;
    if (record.seq < 1) {
      this.#report('altered', record.seq, 'there is no such number');
      return;
    }
    if (record.seq === this.#seq) {
      this.#report('inserted', record.seq, 'two records have this number');
      this.#links.push(hash, computed);
      return;
    }
    if (record.seq > this.#seq + 1) {
      this.#report(
        'removed',
        this.#seq + 1,
        `records ${this.#seq + 1} to ${record.seq - 1} are missing`,
        record.seq - 1,
      );
    } else if (isWhole && !this.#links.includes(record.previous)) {
      // The record is as it was sealed, and names another one before: that one was replaced, or this one was.
      this.#report('altered', Math.max(this.#seq, 1), 'the record after it names another hash than it has');
    }
    if (!isWhole) this.#misfit(record);
    else this.#checkKind(record);
    this.#isClosed ||= record.kind === 'closed';
    this.#seq = record.seq;
    this.#links = [hash, computed];
  }

  /** Says of the records that do not fit whether they stand in each other's place. */
  finish(): void {
    for (const record of this.#misfits) {
      const { hash, ...unsealed } = record;
      const place = this.#misfits.find(({ seq }) => seq !== record.seq && hashOf({ ...unsealed, seq }) === hash);
      if (place === undefined) this.#add('altered', record.seq, 'its content does not have its hash');
      else this.#add('reordered', record.seq, `it was written as number ${place.seq}`);
    }
    this.#misfits.length = 0;
  }

  #misfit(record: AuditRecord): void {
    this.#reported.add(record.seq);
    if (this.#misfits.length < MAX_MISFITS) this.#misfits.push(record);
    else this.#add('altered', record.seq, 'its content does not have its hash');
  }

  #checkKind({ kind, seq }: AuditRecord): void {
    if ((kind === 'opened') !== (seq === 1))
      this.#report('inserted', seq, 'a writer opens with its first record, and once');
    else if (this.#isClosed) this.#report('inserted', seq, 'it stands after the end of its writer');
  }

  #report(kind: Parameters<typeof finding>[0], seq: number, detail: string, toSeq?: number): void {
    if (this.#reported.has(seq)) return;
    this.#reported.add(seq);
    this.#add(kind, seq, detail, toSeq);
  }

  #add(kind: Parameters<typeof finding>[0], seq: number, detail: string, toSeq?: number): void {
    this.#findings.add(finding(kind, this.writer, seq, detail, toSeq));
  }
}
