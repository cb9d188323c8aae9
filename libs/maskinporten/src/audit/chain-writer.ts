import { randomUUID } from 'node:crypto';
import type { AuditRecord } from './audit-record.js';
import { GENESIS, seal, type AuditHead } from './chain.js';
import type { RecordContent } from './pending-record.js';

/** The chain of one process start: gives records their numbers and links. */
export class ChainWriter {
  readonly id = randomUUID();
  readonly #rulebookVersion: string | undefined;
  #head: AuditHead = { writer: this.id, seq: 0, hash: GENESIS };

  constructor(rulebookVersion: string | undefined) {
    this.#rulebookVersion = rulebookVersion;
  }

  /** The last record that is stored; number 0 before there is one. */
  get head(): AuditHead {
    return this.#head;
  }

  get isOpen(): boolean {
    return this.#head.seq > 0;
  }

  /** Records that continue what is stored. Nothing changes here until {@link advance}, so the same place can be sealed again. */
  seal(
    contents: readonly RecordContent[],
    opening?: {
      readonly at: string;
      readonly earlier?: AuditHead | undefined;
      readonly interrupted?: readonly AuditHead[];
    },
  ): AuditRecord[] {
    const records: AuditRecord[] = [];
    let { seq, hash } = this.#head;
    const add = (record: Omit<AuditRecord, 'writer' | 'seq' | 'previous' | 'hash' | 'rulebookVersion'>): void => {
      const sealed = seal({
        writer: this.id,
        seq: seq + 1,
        previous: hash,
        ...record,
        ...(this.#rulebookVersion === undefined ? {} : { rulebookVersion: this.#rulebookVersion }),
      });
      ({ seq, hash } = sealed);
      records.push(sealed);
    };
    if (opening !== undefined) {
      const { at, earlier, interrupted = [] } = opening;
      add({ kind: 'opened', at, ...earlierMembers(earlier) });
      for (const head of interrupted) add({ kind: 'conflict', at, ...earlierMembers(head) });
    }
    for (const { kind, at, facts, lost } of contents)
      add({ kind, at, ...facts, ...(lost === undefined ? {} : { lost }) });
    return records;
  }

  /** What {@link seal} made is stored. */
  advance({ writer, seq, hash }: AuditHead): void {
    this.#head = { writer, seq, hash };
  }
}

function earlierMembers(earlier: AuditHead | undefined): Partial<AuditRecord> {
  return earlier === undefined
    ? {}
    : { earlierWriter: earlier.writer, earlierSeq: earlier.seq, earlierHash: earlier.hash };
}
