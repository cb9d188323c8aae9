import { isWholeNumber, notWholeNumber, ownMembers } from '../basics/index.js';
import { configurationError } from '../errors/index.js';
import type { AuditStore } from './audit-store.js';
import type { AuditCheckpoint, CheckpointKey } from './checkpoint.js';

/** How the log is doing; nothing in it is secret. */
export interface AuditStatus {
  /**
   * `opening`: the store is still being opened; delegated calls wait. `degraded`: the store does not answer, or refuses, and
   * delegated calls fail meanwhile (F-133); or there was a conflict since the start, after which the log is written all the
   * same (F-156).
   */
  readonly state: 'opening' | 'up' | 'degraded';
  /** Records that wait to be stored. */
  readonly pending: number;
  /** Records that were lost since the start, because too many waited; each gap is in the log. */
  readonly lost: number;
  /** Code of the store's last failure: an SQLSTATE, a system error, or `TIMEOUT`. Kept after it answers again. */
  readonly lastErrorCode?: string;
  /** Since when the store does not answer; absent while it does. */
  readonly degradedSince?: Date;
  /** Times that something else was found on the chain of this process. */
  readonly conflicts: number;
  /** UUID of this process in the log. */
  readonly writer: string;
  /** Records of this process that are stored. */
  readonly seq: number;
}

/**
 * The store does not end where this process had come: somebody else has added to its chain, or what was stored is gone. The
 * process continues on a new chain.
 */
export interface AuditConflict {
  /** The chain that it wrote until now, and what it wrote there last. */
  readonly writer: string;
  readonly seq: number;
  readonly hash: string;
}

export interface AuditLogOptions {
  readonly store: AuditStore;
  /** Private Ed25519 key that signs checkpoints; without one, a log whose end was cut off cannot be told from a short one. */
  readonly checkpointKey?: CheckpointKey;
  /** A checkpoint is signed after so many records, and so long after the first record that none covers. Defaults: 1,000 and 60 s. */
  readonly checkpointEvery?: { readonly records?: number; readonly seconds?: number };
  /** Called with each checkpoint that is stored. Copies outside the database are what makes it hard to rewrite. */
  readonly onCheckpoint?: (checkpoint: AuditCheckpoint) => void;
  /** Called when the store stops answering, when it answers again, and after a conflict. */
  readonly onState?: (status: AuditStatus) => void;
  /** Called with each conflict: `audit verify` shows what happened (F-156). */
  readonly onConflict?: (conflict: AuditConflict) => void;
  /** Stands in each record. */
  readonly rulebookVersion?: string;
  /** How long one who needs the record waits for it, in milliseconds. Default 2,000. */
  readonly deadlineMs?: number;
  /** Records that nobody waits for go out together with others, at most so much later. Default 50 ms. */
  readonly lingerMs?: number;
  /** Most records of one write. Default 500. */
  readonly maxBatch?: number;
  /** Most records that wait while the store does not answer. Default 10,000. */
  readonly maxPending?: number;
  /** For tests. */
  readonly now?: () => Date;
  readonly random?: () => number;
}

export interface CheckedAuditLogOptions {
  readonly deadlineMs: number;
  readonly lingerMs: number;
  readonly maxBatch: number;
  readonly maxPending: number;
  readonly checkpointRecords: number;
  readonly checkpointSeconds: number;
}

/** @throws MaskinportenConfigurationError (`MP_CONFIG`) with every number that is out of range */
export function checkAuditLogOptions(options: AuditLogOptions): CheckedAuditLogOptions {
  const { deadlineMs = 2_000, lingerMs = 50, maxBatch = 500, maxPending = 10_000, checkpointEvery } = options;
  const { records: checkpointRecords = 1_000, seconds: checkpointSeconds = 60 } = ownMembers(checkpointEvery);
  const ranges: [field: string, value: number, from: number, to: number][] = [
    ['deadlineMs', deadlineMs, 1, 60_000],
    ['lingerMs', lingerMs, 0, 10_000],
    ['maxBatch', maxBatch, 1, 10_000],
    ['maxPending', maxPending, 1, 1_000_000],
    ['checkpointEvery.records', checkpointRecords, 1, 1_000_000],
    ['checkpointEvery.seconds', checkpointSeconds, 1, 86_400],
  ];
  const failures = ranges
    .filter(([, value, from, to]) => !isWholeNumber(value, from, to))
    .map(([field, , from, to]) => ({
      field: `audit.${field}`,
      code: 'MP_CONFIG' as const,
      reason: notWholeNumber(from, to),
    }));
  if (failures.length > 0) throw configurationError(failures);
  return { deadlineMs, lingerMs, maxBatch, maxPending, checkpointRecords, checkpointSeconds };
}
