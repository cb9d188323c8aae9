// Longer than 250 lines: what happens to a batch from its first record to its answer is read as one.
import { errorCode } from '../basics/index.js';
import type { AuditLogOptions, AuditStatus, CheckedAuditLogOptions } from './audit-log-options.js';
import type { AuditRecord } from './audit-record.js';
import { AuditConflictError } from './audit-store.js';
import type { AuditHead } from './chain.js';
import { ChainWriter } from './chain-writer.js';
import { CheckpointSchedule } from './checkpoint-schedule.js';
import type { AuditCheckpoint } from './checkpoint.js';
import { Pause } from './pause.js';
import type { PendingQueue } from './pending-queue.js';
import { PendingRecord, type RecordContent } from './pending-record.js';

/** Times in a row that another process may be opened between our look and our opening. */
const MAX_OPENING_CONFLICTS = 20;

interface Batch {
  readonly pending: readonly PendingRecord[];
  readonly records: readonly AuditRecord[];
  readonly checkpoint: AuditCheckpoint | undefined;
}

/**
 * Takes records out of the queue and stores them, one batch at a time. A batch that failed may be stored all the same –
 * the answer to a commit can be lost – so exactly the same batch is given to the store until it is accepted; the store
 * recognises what it has.
 */
export class BatchWriter {
  readonly #options: AuditLogOptions;
  readonly #checked: CheckedAuditLogOptions;
  readonly #queue: PendingQueue;
  readonly #schedule: CheckpointSchedule;
  readonly #onState: () => void;
  readonly #pause: Pause;
  readonly #waiting = new Map<PendingRecord, () => void>();
  #chain: ChainWriter;
  /** Taken out of the queue, not stored. */
  #taken: readonly PendingRecord[] = [];
  /** What was given to the store and not accepted yet. */
  #batch: Batch | undefined;
  #running: Promise<void> | undefined;
  #failingSince: Date | undefined;
  #lastErrorCode: string | undefined;
  #openingConflicts = 0;
  /** Chains of this process that something else was found on, as far as it wrote them; the next opening names them. */
  #interrupted: AuditHead[] = [];
  /** The same, as long as no checkpoint covers what it wrote on them. */
  #unsigned: AuditHead[] = [];
  #conflicts = 0;
  #isFinishing = false;
  #isEnded = false;

  constructor(options: AuditLogOptions, checked: CheckedAuditLogOptions, queue: PendingQueue, onState: () => void) {
    this.#options = options;
    this.#checked = checked;
    this.#queue = queue;
    this.#onState = onState;
    const { checkpointRecords, checkpointSeconds } = checked;
    this.#schedule = new CheckpointSchedule(options.checkpointKey, checkpointRecords, checkpointSeconds);
    this.#chain = new ChainWriter(options.rulebookVersion);
    this.#pause = new Pause(options.random ?? Math.random);
  }

  get isFailing(): boolean {
    return this.#failingSince !== undefined;
  }

  get pending(): number {
    return this.#taken.length;
  }

  status(): Pick<AuditStatus, 'state' | 'lastErrorCode' | 'degradedSince' | 'conflicts' | 'writer' | 'seq'> {
    const { writer, seq } = this.#chain.head;
    return {
      state: this.isFailing || this.#conflicts > 0 ? 'degraded' : 'up',
      ...(this.#lastErrorCode === undefined ? {} : { lastErrorCode: this.#lastErrorCode }),
      ...(this.#failingSince === undefined ? {} : { degradedSince: this.#failingSince }),
      conflicts: this.#conflicts,
      writer,
      seq,
    };
  }

  /** Stores what is in the queue, unless that is being done. */
  start(): void {
    if (this.#isEnded) return;
    this.#running ??= this.#run();
  }

  /** The store has not answered in time. */
  stall(): void {
    this.#fail('TIMEOUT');
  }

  /** Calls `listener` once if the store fails before the record is settled. */
  onFailure(listener: () => void, record: PendingRecord): void {
    this.#waiting.set(record, listener);
  }

  /** Stores everything and `last`, for so long; then gives up what is left. */
  async finish(last: RecordContent, deadlineMs: number): Promise<void> {
    this.#isFinishing = true;
    if (this.#chain.isOpen || !this.#queue.isEmpty || this.#taken.length > 0) {
      this.#pause.shorten();
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, deadlineMs);
      });
      await Promise.race([this.#finishAll(last), deadline]);
      clearTimeout(timer);
    }
    this.#isEnded = true;
    this.#pause.shorten();
    this.#schedule.stop();
    this.#queue.lose(this.#taken);
    this.#taken = [];
    this.#queue.loseAll();
  }

  async #finishAll(last: RecordContent): Promise<void> {
    this.#queue.addLast(new PendingRecord(last, false));
    this.start();
    await this.#running;
  }

  async #run(): Promise<void> {
    // What is written in the same turn goes into the same batch.
    await Promise.resolve();
    while (!this.#isEnded && this.#hasWork()) {
      try {
        this.#batch ??= await this.#nextBatch();
        await this.#store(this.#batch);
      } catch (error) {
        if (!this.#isEnded) await this.#afterFailure(error);
      }
    }
    // In the same turn as the look into the queue: the next one that writes starts it again.
    this.#running = undefined;
  }

  #hasWork(): boolean {
    // While it fails, somebody has to find out when it does not any more.
    if (this.#taken.length > 0 || !this.#queue.isEmpty || this.isFailing) return true;
    return this.#schedule.isDue && this.#chain.isOpen;
  }

  async #nextBatch(): Promise<Batch> {
    const closing = this.#closingCheckpoint();
    if (closing !== undefined) return { pending: [], records: [], checkpoint: closing };
    const earlier = this.#chain.isOpen ? undefined : await this.#earlierHead();
    const { maxBatch } = this.#checked;
    const kept = this.#taken.filter(({ isGivenUp }) => !isGivenUp);
    this.#taken = [...kept, ...this.#queue.take(maxBatch - kept.length)];
    const at = this.#now();
    const contents = this.#taken.map(({ content }) => content);
    const interrupted = [...this.#interrupted];
    const opening = this.#chain.isOpen ? undefined : { at, interrupted, earlier };
    const records = contents.length === 0 && !this.isFailing ? [] : this.#chain.seal(contents, opening);
    const isLast = this.#isFinishing && this.#queue.isEmpty;
    const head = records.at(-1) ?? this.#chain.head;
    const checkpoint = head.seq === 0 ? undefined : this.#schedule.next(head, at, isLast);
    return { pending: this.#taken, records, checkpoint };
  }

  /** What the process wrote on a chain that it has left is its own, up to there and no further. */
  #closingCheckpoint(): AuditCheckpoint | undefined {
    for (let [head] = this.#unsigned; head !== undefined; [head] = this.#unsigned) {
      const checkpoint = this.#schedule.next(head, this.#now(), true);
      if (checkpoint !== undefined) return checkpoint;
      this.#unsigned.shift();
    }
    return undefined;
  }

  #now(): string {
    return (this.#options.now?.() ?? new Date()).toISOString();
  }

  /** Of its own chain, a process names what it wrote itself: what else is there is nothing to vouch for (F-156). */
  async #earlierHead(): Promise<AuditHead | undefined> {
    const latest = await this.#options.store.latestHead();
    return this.#interrupted.find(({ writer }) => writer === latest?.writer) ?? latest;
  }

  async #store({ pending, records, checkpoint }: Batch): Promise<void> {
    if (records.length > 0 || checkpoint !== undefined) await this.#options.store.append(records, checkpoint);
    if (this.#isEnded) return;
    this.#batch = undefined;
    if (pending === this.#taken) this.#taken = [];
    if (records.length > 0) this.#openingConflicts = 0;
    const last = records.at(-1);
    if (last !== undefined) {
      this.#chain.advance(last);
      this.#interrupted = [];
    }
    this.#schedule.stored(this.#chain.head, checkpoint, () => this.start());
    this.#recover();
    for (const record of pending) {
      this.#waiting.delete(record);
      record.settle('stored');
    }
    if (checkpoint !== undefined) this.#tell(() => this.#options.onCheckpoint?.(checkpoint));
  }

  async #afterFailure(error: unknown): Promise<void> {
    if (error instanceof AuditConflictError) {
      this.#batch = undefined;
      if (error.reason === 'chain') this.#leaveChain();
      this.#openingConflicts += 1;
      if (this.#openingConflicts <= MAX_OPENING_CONFLICTS) return;
    }
    // Never the message, which may quote what was to be stored.
    this.#fail(error instanceof AuditConflictError ? 'CONFLICT' : (errorCode(error) ?? 'UNKNOWN'));
    await this.#pause.wait(this.#isFinishing);
  }

  /**
   * Somebody has added to the chain (F-156), or the store lost what it had accepted (restored from a backup). The process
   * continues on a new one; what happened to this one is for the verification to find.
   */
  #leaveChain(): void {
    const { writer, seq, hash } = this.#chain.head;
    this.#chain = new ChainWriter(this.#options.rulebookVersion);
    // One that was not opened has nothing on it.
    if (seq === 0) return;
    this.#interrupted.push({ writer, seq, hash });
    this.#unsigned.push({ writer, seq, hash });
    this.#conflicts += 1;
    this.#lastErrorCode = 'CONFLICT';
    this.#tell(() => this.#options.onConflict?.({ writer, seq, hash }));
    this.#tell(this.#onState);
  }

  #fail(code: string): void {
    this.#lastErrorCode = code;
    const isNews = this.#failingSince === undefined;
    this.#failingSince ??= this.#options.now?.() ?? new Date();
    for (const record of this.#taken) if (record.required) record.settle('refused');
    this.#queue.refuseRequired();
    for (const listener of this.#waiting.values()) listener();
    this.#waiting.clear();
    if (isNews) this.#tell(this.#onState);
  }

  #recover(): void {
    this.#pause.reset();
    if (this.#failingSince === undefined) return;
    this.#failingSince = undefined;
    this.#tell(this.#onState);
  }

  /** F-138: a listener that throws must not stop the log. */
  #tell(listener: () => void): void {
    try {
      listener();
    } catch {
      // Listeners log; there is nobody else to tell.
    }
  }
}
