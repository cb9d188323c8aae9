import type { AuditKind, AuditRecord } from './audit-record.js';
import type { AuditHead } from './chain.js';
import type { AuditCheckpoint } from './checkpoint.js';

export interface AuditSearch {
  readonly organisation: string;
  /** `YYYY-MM-DD`, a day in UTC. */
  readonly day: string;
  /** The `next` of the page before. */
  readonly after?: string;
  /** Most records of a page; 1 to 1,000, default 100. */
  readonly limit?: number;
}

export interface AuditPage {
  /** By time. */
  readonly records: readonly AuditRecord[];
  /** For the next page; absent on the last. */
  readonly next?: string;
}

/** Which records a scan is about; without members, all. */
export interface AuditScan {
  readonly kind?: AuditKind;
  readonly writer?: string;
  /** With `writer`: only those after this one. */
  readonly afterSeq?: number;
}

/** Where the records are kept. The library has one on PostgreSQL and PGlite: `nestjs-maskinporten/audit-postgres`. */
export interface AuditStore {
  /**
   * Whether it may be written by the one who is connected. `MaskinportenAuditModule` asks at start.
   *
   * @throws MaskinportenConfigurationError (`MP_CONFIG`) when it must not be; anything else when that cannot be found out now
   */
  check?(): Promise<void>;
  /**
   * For a store that is still being opened when the log gets it: settles when the store can be asked, or never will be.
   * Until then the log keeps what it is given and no deadline runs, so nothing is refused and nothing is recorded late.
   */
  readonly opened?: Promise<void>;
  /**
   * Adds records of one writer with consecutive numbers, and a checkpoint of the last of them (or of an earlier one, with
   * no records). All or nothing, and durable when it resolves. It settles in bounded time. The same batch once more – asked
   * because the answer to the first time was lost – adds nothing and resolves.
   *
   * @throws AuditConflictError when the batch does not continue what is stored
   */
  append(records: readonly AuditRecord[], checkpoint?: AuditCheckpoint): Promise<void>;
  /** How far the writer that was opened last has come. */
  latestHead(): Promise<AuditHead | undefined>;
  /** The records of a request, and those of the tokens that it used; by time. */
  find(query: { readonly requestId: string }): Promise<readonly AuditRecord[]>;
  /** @throws RangeError when day, limit or cursor is malformed */
  search(query: AuditSearch): Promise<AuditPage>;
  /** Every record, by writer and number. Records that are added meanwhile may or may not be among them. */
  records(scan?: AuditScan): AsyncIterable<AuditRecord>;
  /** Every checkpoint, or those of one writer, by writer and number. */
  checkpoints(scan?: { readonly writer?: string }): AsyncIterable<AuditCheckpoint>;
  close(): Promise<void>;
}

/**
 * A batch does not fit to what is stored.
 *
 * `opening`: another writer was opened in between; read the latest head again. `chain`: the store does not have the record
 * before the first of the batch, or has another one; this writer cannot go on.
 */
export class AuditConflictError extends Error {
  constructor(
    readonly reason: 'opening' | 'chain',
    message: string,
  ) {
    super(message);
    this.name = 'AuditConflictError';
  }
}
