import { ownMembers } from '../basics/index.js';
import { createError } from '../errors/index.js';
import { checkAuditLogOptions, type AuditLogOptions, type AuditStatus } from './audit-log-options.js';
import type { AuditEntry, AuditRecord } from './audit-record.js';
import type { AuditPage, AuditSearch, AuditStore } from './audit-store.js';
import { BatchWriter } from './batch-writer.js';
import { cleanFacts } from './clean-facts.js';
import { PendingQueue } from './pending-queue.js';
import { PendingRecord, type PendingOutcome, type RecordContent } from './pending-record.js';

const CLOSE_DEADLINE_MS = 5_000;

/**
 * The log of who did what for whom. Records stand in the order in which they were given, so that a record that is stored
 * means that those before it are. What came while one batch was being stored goes out together as the next.
 *
 * While the store does not answer, `write` with `required` fails at once, and everything else waits in a queue that is
 * bounded; what it cannot hold is counted and recorded as a `gap` (F-133). Text is cleaned first: person numbers,
 * tokens and control characters never reach the store.
 *
 * @example
 * const log = new AuditLog({ store, checkpointKey });
 * await log.write({ kind: 'call-intent', requestId, organisation, method: 'POST', host }, { required: true });
 */
export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #deadlineMs: number;
  readonly #lingerMs: number;
  readonly #maxBatch: number;
  readonly #queue: PendingQueue;
  readonly #batches: BatchWriter;
  /** Settled when the store can be asked; undefined from then on. */
  #opening: Promise<void> | undefined;
  #linger: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  /** @throws MaskinportenConfigurationError (`MP_CONFIG`) for a key that cannot sign checkpoints, or a number out of range */
  constructor(given: AuditLogOptions) {
    const options = ownMembers(given);
    const checked = checkAuditLogOptions(options);
    this.#options = options;
    this.#deadlineMs = checked.deadlineMs;
    this.#lingerMs = checked.lingerMs;
    this.#maxBatch = checked.maxBatch;
    this.#queue = new PendingQueue(
      checked.maxPending,
      (lost) => new PendingRecord({ kind: 'gap', at: this.#now(), facts: {}, lost }, false),
    );
    this.#batches = new BatchWriter(options, checked, this.#queue, () => options.onState?.(this.status()));
    const opened = (): void => {
      this.#opening = undefined;
    };
    this.#opening = options.store.opened?.then(opened, opened);
  }

  /**
   * Stores a record.
   *
   * @param options `required`: what it tells of must not happen unless it is stored – it fails within the deadline, which
   *   begins when the store is open, and is not stored later, unless the store answers so late that it is there already. Default false: it waits as long as it takes.
   * @returns when it is durable
   * @throws OutboundCallRefusedError (`MP_AUDIT`) when it is not going to be
   */
  write(entry: AuditEntry, { required = false }: { readonly required?: boolean } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: PendingOutcome): void => {
        if (outcome === 'stored') resolve();
        else reject(auditError());
      };
      if (this.#closed !== undefined || (required && this.#batches.isFailing)) {
        settle('refused');
        return;
      }
      const record = new PendingRecord(this.#contentOf(entry), required, settle);
      if (!this.#queue.add(record)) return;
      if (required) {
        this.#whenOpened(() => {
          record.startDeadline(this.#deadlineMs, () => {
            record.settle('refused');
            this.#batches.stall();
          });
        });
      }
      this.#batches.start();
    });
  }

  /**
   * Stores a record and waits for it only while the store answers.
   *
   * @returns true when it is durable; false when it still waits, also for a store that is being opened, or had to be
   *   counted as lost
   */
  offer(entry: AuditEntry): Promise<boolean> {
    return new Promise((resolve) => {
      const isFailing = this.#batches.isFailing;
      const record = this.#accept(entry, (outcome) => resolve(outcome === 'stored'));
      if (record === undefined || isFailing || this.#opening !== undefined) {
        resolve(false);
        if (record !== undefined) this.#batches.start();
        return;
      }
      record.startDeadline(this.#deadlineMs, () => {
        resolve(false);
        this.#batches.stall();
      });
      this.#batches.onFailure(() => resolve(false), record);
      this.#batches.start();
    });
  }

  /** Stores a record that nobody waits for, soon and together with others. Never throws. */
  record(entry: AuditEntry): void {
    if (this.#accept(entry) === undefined) return;
    if (this.#queue.length >= this.#maxBatch) this.#batches.start();
    this.#linger ??= setTimeout(() => {
      this.#linger = undefined;
      this.#batches.start();
    }, this.#lingerMs);
  }

  /** The records of a request, and those of the tokens that it used; by time. What still waits to be stored is not there. */
  find(query: { readonly requestId: string }): Promise<readonly AuditRecord[]> {
    return this.#options.store.find(query);
  }

  /** @throws RangeError when day, limit or cursor is malformed */
  search(query: AuditSearch): Promise<AuditPage> {
    return this.#options.store.search(query);
  }

  /** Where the records are, for `verifyAuditLog`. */
  get store(): AuditStore {
    return this.#options.store;
  }

  status(): AuditStatus {
    const status = this.#batches.status();
    const state = this.#opening === undefined ? status.state : 'opening';
    return { ...status, state, pending: this.#batches.pending + this.#queue.length, lost: this.#queue.lost };
  }

  /**
   * Stores what waits, says that the writer ended in order, and closes the store. Nothing is taken any more.
   *
   * @param deadlineMs how long it tries once the store is open; default 5,000. What is not stored by then is lost. A store
   *   that is still being opened is waited for when there is something to store, and closed at once when not
   */
  close(deadlineMs: number = CLOSE_DEADLINE_MS): Promise<void> {
    this.#closed ??= this.#close(deadlineMs);
    return this.#closed;
  }

  async #close(deadlineMs: number): Promise<void> {
    clearTimeout(this.#linger);
    if (!this.#queue.isEmpty) await this.#opening;
    await this.#batches.finish({ kind: 'closed', at: this.#now(), facts: {} }, deadlineMs);
    await this.#options.store.close();
  }

  #whenOpened(then: () => void): void {
    if (this.#opening === undefined) then();
    else void this.#opening.then(then);
  }

  #accept(entry: AuditEntry, onSettled?: (outcome: PendingOutcome) => void): PendingRecord | undefined {
    if (this.#closed !== undefined) return undefined;
    const record = new PendingRecord(this.#contentOf(entry), false, onSettled);
    return this.#queue.add(record) ? record : undefined;
  }

  #contentOf(entry: AuditEntry): RecordContent {
    return { kind: entry.kind, at: timeOf(entry.at) ?? this.#now(), facts: cleanFacts(entry) };
  }

  #date(): Date {
    return this.#options.now?.() ?? new Date();
  }

  #now(): string {
    return this.#date().toISOString();
  }
}

/** Undefined for what is not a time, or one that a database may refuse: with it, nothing behind it would ever be stored. */
function timeOf(at: Date | undefined): string | undefined {
  const year = at?.getUTCFullYear() ?? Number.NaN;
  return year >= 1 && year <= 9_998 ? at?.toISOString() : undefined;
}

const auditError = (): Error =>
  createError('MP_AUDIT', {
    message: 'The audit log cannot be written; what would have to be recorded was not done.',
    retryAfterMs: 1_000,
  });
