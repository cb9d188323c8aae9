import type { AuditRecord } from './audit-record.js';
import { hashOf, type AuditHead } from './chain.js';
import { finding, type Findings } from './finding.js';

/**
 * The order in which writers were opened: each names the one before, so that the whole is one line. What an opening says
 * of the writer before is a statement about that one, of which nothing can be taken away afterwards.
 */
export class OpeningList {
  readonly #openedAt = new Map<string, string>();
  readonly #statements = new Map<string, AuditHead>();
  /** Writer that each one names as the one before it. */
  readonly #earlier = new Map<string, string>();

  static async read(openings: AsyncIterable<AuditRecord>, findings: Findings): Promise<OpeningList> {
    const list = new OpeningList();
    /** The writer that has named this one as the one before it; '' is the beginning. */
    const namedBy = new Map<string, AuditRecord>();
    for await (const record of openings) {
      const { hash, ...unsealed } = record;
      list.#openedAt.set(record.writer, record.at);
      // One that was altered says nothing about others; that it was altered is found with its own chain.
      if (hashOf(unsealed) !== hash || record.seq !== 1) continue;
      const { earlierWriter, earlierSeq, earlierHash } = record;
      const other = namedBy.get(earlierWriter ?? '');
      if (other !== undefined) {
        const [, later] = [other, record].toSorted((a, b) => a.at.localeCompare(b.at));
        findings.add(
          finding('inserted', later?.writer ?? record.writer, 1, 'another writer was opened in its place already'),
        );
        continue;
      }
      namedBy.set(earlierWriter ?? '', record);
      if (earlierWriter !== undefined) list.#earlier.set(record.writer, earlierWriter);
      if (earlierWriter !== undefined && earlierSeq !== undefined && earlierHash !== undefined) {
        list.#statements.set(earlierWriter, { writer: earlierWriter, seq: earlierSeq, hash: earlierHash });
      }
    }
    return list;
  }

  /** What a later writer says of this one. */
  statementOn(writer: string): AuditHead | undefined {
    return this.#statements.get(writer);
  }

  statements(): IterableIterator<AuditHead> {
    return this.#statements.values();
  }

  /** By its own word and that of the one before it: a false writer can say any time, and comes after a genuine one. */
  wasOpenedBefore(writer: string, date: Date): boolean {
    const earlier = this.#earlier.get(writer);
    // One before it that is gone is a finding of its own.
    const isFirst = earlier === undefined || !this.#openedAt.has(earlier);
    return this.#saysBefore(writer, date) && (isFirst || this.#saysBefore(earlier, date));
  }

  #saysBefore(writer: string, date: Date): boolean {
    const at = this.#openedAt.get(writer);
    return at !== undefined && Date.parse(at) < date.getTime();
  }
}
