// Longer than 250 lines: each thing that can be wrong with a log, and how it is found, is read as one.
import { ownMembers } from '../basics/index.js';
import type { AuditRecord } from './audit-record.js';
import type { AuditStore } from './audit-store.js';
import { ChainCheck } from './chain-check.js';
import type { AuditHead } from './chain.js';
import { ConflictList } from './conflict-list.js';
import { CheckpointVerifier, type AuditCheckpoint, type CheckpointKey } from './checkpoint.js';
import { Findings, finding, type AuditFinding } from './finding.js';
import { OpeningList } from './opening-list.js';

const DEFAULT_MAX_FINDINGS = 1_000;

export interface VerifyAuditOptions {
  /**
   * Keys that checkpoints may be signed with, public or private. With them, every checkpoint must be genuine and every
   * writer must have one. Without them, signatures are not looked at.
   */
  readonly checkpointKeys?: readonly CheckpointKey[];
  /** Checkpoints that were kept outside the database. */
  readonly copies?: readonly AuditCheckpoint[];
  /** Writers that were opened earlier need no checkpoint: when checkpoints were introduced. */
  readonly signedSince?: Date;
  /** Most findings that are listed. Default 1,000. */
  readonly maxFindings?: number;
}

export interface AuditVerification {
  readonly records: number;
  readonly writers: number;
  readonly checkpoints: number;
  /** Records at the ends of writers that no genuine checkpoint covers: cutting them off, or rewriting them, would not be noticed. */
  readonly uncovered: number;
  /** All that were found; the list may be shorter. */
  readonly findingCount: number;
  readonly findings: readonly AuditFinding[];
}

/**
 * Reads a whole log and says whether it is what was written, and where it is not. It reads page by page and keeps a few
 * bytes per writer; the log may be written to meanwhile.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) when a key is not an Ed25519 key; what the store throws
 * @example
 * const { findings } = await verifyAuditLog(store, { checkpointKeys: [readFileSync('checkpoint-public.pem')] });
 */
export async function verifyAuditLog(
  store: Pick<AuditStore, 'records' | 'checkpoints'>,
  options: VerifyAuditOptions = {},
): Promise<AuditVerification> {
  return new Verification(store, options).run();
}

class Verification {
  readonly #store: Pick<AuditStore, 'records' | 'checkpoints'>;
  readonly #findings: Findings;
  readonly #verifier: CheckpointVerifier | undefined;
  readonly #signedSince: Date | undefined;
  readonly #copies: readonly AuditCheckpoint[];
  readonly #seen = new Set<string>();
  #openings = new OpeningList();
  #conflicts = new ConflictList();
  #records = 0;
  #checkpoints = 0;
  #uncovered = 0;

  constructor(store: Pick<AuditStore, 'records' | 'checkpoints'>, options: VerifyAuditOptions) {
    const { checkpointKeys, copies = [], signedSince, maxFindings = DEFAULT_MAX_FINDINGS } = ownMembers(options);
    this.#store = store;
    this.#findings = new Findings(maxFindings);
    this.#verifier = checkpointKeys === undefined ? undefined : new CheckpointVerifier(checkpointKeys);
    this.#signedSince = signedSince;
    this.#copies = copies.filter((copy) => this.#isGenuine(copy));
  }

  async run(): Promise<AuditVerification> {
    this.#openings = await OpeningList.read(this.#store.records({ kind: 'opened' }), this.#findings);
    this.#conflicts = await ConflictList.read(this.#store.records({ kind: 'conflict' }));
    let check: WriterCheck | undefined;
    for await (const record of this.#store.records()) {
      if (record.writer !== check?.chain.writer) {
        await this.#finish(check);
        check = this.#checkOf(record.writer);
      }
      await check.take(record);
    }
    await this.#finish(check);
    await this.#findMissingWriters();
    return {
      records: this.#records,
      writers: this.#seen.size,
      checkpoints: this.#checkpoints,
      uncovered: this.#uncovered,
      findingCount: this.#findings.count,
      findings: this.#findings.list,
    };
  }

  #checkOf(writer: string): WriterCheck {
    this.#seen.add(writer);
    const end = this.#conflicts.endOf(writer);
    const kept = [this.#openings.statementOn(writer), end, ...this.#copies.filter((copy) => copy.writer === writer)]
      .filter((head) => head !== undefined)
      .toSorted((a, b) => a.seq - b.seq);
    return new WriterCheck(
      writer,
      { kept, checkpoints: this.#genuine(writer), areSigned: this.#verifier !== undefined, end },
      this.#findings,
    );
  }

  async *#genuine(writer: string): AsyncGenerator<AuditHead> {
    for await (const checkpoint of this.#store.checkpoints({ writer })) {
      this.#checkpoints += 1;
      if (this.#isGenuine(checkpoint)) yield checkpoint;
    }
  }

  #isGenuine(checkpoint: AuditCheckpoint): boolean {
    const { writer, seq, keyId } = checkpoint;
    if (this.#verifier === undefined || this.#verifier.isGenuine(checkpoint)) return true;
    this.#findings.add(finding('bad-checkpoint', writer, seq, `no key that was given has signed it (key id ${keyId})`));
    return false;
  }

  async #finish(check: WriterCheck | undefined): Promise<void> {
    if (check === undefined) return;
    const { writer } = check.chain;
    await check.finish(() => this.#store.records({ writer, afterSeq: check.chain.seq }));
    this.#records += check.chain.count;
    this.#uncovered += check.chain.seq - check.covered;
    const mustBeSigned =
      this.#verifier !== undefined &&
      !(this.#signedSince !== undefined && this.#openings.wasOpenedBefore(writer, this.#signedSince));
    if (mustBeSigned && !check.isSigned && !check.chain.foundAfter(0)) {
      this.#findings.add(
        finding('inserted', writer, 1, 'no checkpoint of this writer is signed with a key that was given'),
      );
    }
  }

  /** Writers that something speaks of, and that have no record. */
  async #findMissingWriters(): Promise<void> {
    const missing = new Map<string, AuditHead>();
    const note = (head: AuditHead): void => {
      if (!this.#seen.has(head.writer) && (missing.get(head.writer)?.seq ?? 0) < head.seq)
        missing.set(head.writer, head);
    };
    for await (const checkpoint of this.#store.checkpoints()) {
      if (this.#seen.has(checkpoint.writer)) continue;
      this.#checkpoints += 1;
      if (this.#isGenuine(checkpoint)) note(checkpoint);
    }
    for (const head of [...this.#openings.statements(), ...this.#conflicts.ends(), ...this.#copies]) note(head);
    for (const { writer, seq } of missing.values()) {
      // It may have been opened while we were reading.
      const check = this.#checkOf(writer);
      for await (const record of this.#store.records({ writer })) await check.take(record);
      if (check.chain.count > 0) await this.#finish(check);
      else this.#findings.add(finding('writer-missing', writer, 1, `it had written ${seq} records at least`, seq));
    }
  }
}

/** What is known of a writer besides its records. */
interface Known {
  readonly kept: readonly AuditHead[];
  readonly checkpoints: AsyncIterable<AuditHead>;
  /** Whether the signatures of the checkpoints were looked at. */
  readonly areSigned: boolean;
  /** Where it says itself that it ended. */
  readonly end: AuditHead | undefined;
}

/** One writer against everything that is known of how far it had come. */
class WriterCheck {
  readonly chain: ChainCheck;
  /**
   * Last number that a genuine checkpoint of the writer agrees with. What others say of it proves that it was there, not
   * that the writer wrote it: they found it in the database.
   */
  covered = 0;
  /** True when there is a genuine checkpoint of it, wherever. */
  isSigned = false;
  readonly #findings: Findings;
  readonly #heads: AsyncGenerator<AuditHead>;
  readonly #areSigned: boolean;
  readonly #end: AuditHead | undefined;
  /** Last number that anything outside the writer's own records agrees with. */
  #agreed = 0;
  /** First and last record after the end that the writer itself has named. */
  #foreign: [first: number, last: number] | undefined;
  #next: AuditHead | undefined;
  #hasBegun = false;
  #isRewritten = false;

  constructor(writer: string, { kept, checkpoints, areSigned, end }: Known, findings: Findings) {
    this.chain = new ChainCheck(writer, findings);
    this.#findings = findings;
    this.#heads = merged(kept, checkpoints);
    this.#areSigned = areSigned;
    this.#end = end;
  }

  async take(record: AuditRecord): Promise<void> {
    if (!this.#hasBegun) await this.#advance();
    // Those of a number that is passed by: the records there are missing, and reported as such.
    while (this.#next !== undefined && this.#next.seq < record.seq && this.#next.seq !== this.chain.seq)
      await this.#advance();
    this.chain.take(record);
    if (this.#end !== undefined && record.seq > this.#end.seq) {
      this.#foreign = [this.#foreign?.[0] ?? record.seq, record.seq];
    }
    while (this.#next !== undefined && this.#next.seq === record.seq) {
      this.#compare(this.#next);
      await this.#advance();
    }
  }

  async finish(later: () => AsyncIterable<AuditRecord>): Promise<void> {
    if (!this.#hasBegun) await this.#advance();
    // A checkpoint may be newer than the page of records that was read.
    if (this.#next !== undefined) for await (const record of later()) await this.take(record);
    let last: AuditHead | undefined;
    while (this.#next !== undefined) {
      last = this.#next;
      await this.#advance();
    }
    this.chain.finish();
    this.#reportForeign();
    if (last !== undefined && last.seq > this.chain.seq) {
      const { writer, seq } = this.chain;
      const detail = `records ${seq + 1} to ${last.seq} existed and are missing`;
      this.#findings.add(finding('tail-cut', writer, seq + 1, detail, last.seq));
    }
  }

  /** Unless the writer has signed them: then what was said of its end is false, and found where that stands. */
  #reportForeign(): void {
    if (this.#foreign === undefined || this.#end === undefined) return;
    const [first, last] = this.#foreign;
    if (this.#areSigned && this.covered >= first) return;
    const detail = `the process that wrote this chain ended it with number ${this.#end.seq}, because it found something else after that`;
    this.#findings.add(finding('inserted', this.chain.writer, first, detail, last));
  }

  #compare(head: AuditHead): void {
    const { seq, hash } = head;
    if (this.chain.links.includes(hash)) {
      this.#agreed = seq;
      if ('signature' in head) this.covered = seq;
    } else if (!this.#isRewritten && !this.chain.foundAfter(this.#agreed)) {
      this.#isRewritten = true;
      const detail = `the chain was rewritten: record ${seq} is known with another hash`;
      this.#findings.add(finding('altered', this.chain.writer, this.#agreed + 1, detail, seq));
    }
  }

  async #advance(): Promise<void> {
    this.#hasBegun = true;
    const { value, done } = await this.#heads.next();
    this.#next = done === true ? undefined : value;
    this.isSigned ||= this.#next !== undefined && 'signature' in this.#next;
  }
}

/** Two lists by number as one. */
async function* merged(kept: readonly AuditHead[], streamed: AsyncIterable<AuditHead>): AsyncGenerator<AuditHead> {
  let index = 0;
  for await (const head of streamed) {
    for (let next = kept[index]; next !== undefined && next.seq <= head.seq; next = kept[index]) {
      yield next;
      index += 1;
    }
    yield head;
  }
  yield* kept.slice(index);
}
