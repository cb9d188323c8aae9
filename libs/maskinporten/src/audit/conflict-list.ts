import type { AuditRecord } from './audit-record.js';
import { hashOf, type AuditHead } from './chain.js';

/**
 * What processes say of chains that they left because something else was found on them: how far they had written
 * themselves. What comes after that is not theirs (F-156).
 */
export class ConflictList {
  readonly #ends = new Map<string, AuditHead>();

  static async read(conflicts: AsyncIterable<AuditRecord>): Promise<ConflictList> {
    const list = new ConflictList();
    for await (const record of conflicts) {
      const { hash, earlierWriter: writer, earlierSeq: seq, earlierHash, ...unsealed } = record;
      if (writer === undefined || seq === undefined || earlierHash === undefined) continue;
      // One that was altered says nothing about others; that it was altered is found with its own chain.
      if (hashOf({ ...unsealed, earlierWriter: writer, earlierSeq: seq, earlierHash }) !== hash) continue;
      if ((list.#ends.get(writer)?.seq ?? Infinity) > seq) list.#ends.set(writer, { writer, seq, hash: earlierHash });
    }
    return list;
  }

  /** Where the process that wrote this chain says that it had ended. */
  endOf(writer: string): AuditHead | undefined {
    return this.#ends.get(writer);
  }

  ends(): IterableIterator<AuditHead> {
    return this.#ends.values();
  }
}
