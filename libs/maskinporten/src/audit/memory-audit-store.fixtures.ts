import type { AuditRecord } from './audit-record.js';
import {
  AuditConflictError,
  type AuditPage,
  type AuditScan,
  type AuditSearch,
  type AuditStore,
} from './audit-store.js';
import { GENESIS, type AuditHead } from './chain.js';
import type { AuditCheckpoint } from './checkpoint.js';
import { cleanText } from './clean-facts.js';
import { checkSearch, cursorOf } from './search-page.js';

/** By code unit, as a database does it with times and UUIDs. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byTime = (a: AuditRecord, b: AuditRecord): number =>
  compare(a.at, b.at) || compare(a.writer, b.writer) || a.seq - b.seq;
const byWriter = (a: AuditHead, b: AuditHead): number => compare(a.writer, b.writer) || a.seq - b.seq;

/** Keeps the log in memory, by the same rules as the databases; its arrays are open to tests that tamper with them. */
export class MemoryAuditStore implements AuditStore {
  stored: AuditRecord[] = [];
  storedCheckpoints: AuditCheckpoint[] = [];
  /** Batches that came in, also those that were refused. */
  batches = 0;
  closed = false;
  /** Called before a batch is stored: throws or waits as a database that is down, full or slow. */
  beforeAppend: (records: readonly AuditRecord[]) => Promise<void> | void = () => undefined;
  /** Called after a batch is stored: throws as a connection that is lost during the commit. */
  afterAppend: (records: readonly AuditRecord[]) => Promise<void> | void = () => undefined;

  async append(records: readonly AuditRecord[], checkpoint?: AuditCheckpoint): Promise<void> {
    this.batches += 1;
    await this.beforeAppend(records);
    const [first] = records;
    if (first !== undefined) {
      const head = this.#headOf(first.writer);
      const stored = this.stored.find(({ writer, seq }) => writer === first.writer && seq === first.seq);
      if (stored?.hash !== first.hash) {
        if ((head?.hash ?? GENESIS) !== first.previous || (head?.seq ?? 0) !== first.seq - 1) {
          throw new AuditConflictError('chain', 'the batch does not continue the chain of its writer');
        }
        if (first.kind === 'opened' && this.#latest()?.writer !== first.earlierWriter) {
          throw new AuditConflictError('opening', 'another writer was opened in between');
        }
        this.stored.push(...records);
        if (checkpoint !== undefined) this.storedCheckpoints.push(checkpoint);
      }
    } else if (checkpoint !== undefined) {
      this.storedCheckpoints.push(checkpoint);
    }
    await this.afterAppend(records);
  }

  latestHead(): Promise<AuditHead | undefined> {
    return Promise.resolve(this.#latest());
  }

  #latest(): AuditHead | undefined {
    const openings = this.stored.filter(({ kind }) => kind === 'opened');
    const named = new Set(openings.map(({ earlierWriter }) => earlierWriter));
    const latest = openings.findLast(({ writer }) => !named.has(writer));
    return latest === undefined ? undefined : this.#headOf(latest.writer);
  }

  find(query: { readonly requestId: string }): Promise<readonly AuditRecord[]> {
    const requestId = cleanText(query.requestId);
    const own = this.stored.filter((record) => record.requestId !== undefined && record.requestId === requestId);
    const used = new Set(own.flatMap(({ jti }) => (jti === undefined ? [] : [jti])));
    const tokens = this.stored.filter(({ kind, jti }) => kind === 'token' && jti !== undefined && used.has(jti));
    return Promise.resolve([...new Set([...own, ...tokens])].toSorted(byTime));
  }

  async search(query: AuditSearch): Promise<AuditPage> {
    const { organisation, from, to, after, limit } = checkSearch(query);
    const matching = this.stored
      .filter((record) => record.organisation === organisation && record.at >= from && record.at < to)
      .toSorted(byTime)
      .filter((record) => after === undefined || byTime({ ...record, ...after }, record) < 0);
    const records = matching.slice(0, limit);
    const last = records.at(-1);
    return Promise.resolve({
      records,
      ...(matching.length > limit && last !== undefined ? { next: cursorOf(last) } : {}),
    });
  }

  async *records({ kind, writer, afterSeq = 0 }: AuditScan = {}): AsyncIterable<AuditRecord> {
    for (const record of this.stored.toSorted(byWriter)) {
      if (kind !== undefined && record.kind !== kind) continue;
      if (writer !== undefined && (record.writer !== writer || record.seq <= afterSeq)) continue;
      yield await Promise.resolve(record);
    }
  }

  async *checkpoints({ writer }: { readonly writer?: string } = {}): AsyncIterable<AuditCheckpoint> {
    for (const checkpoint of this.storedCheckpoints.toSorted(byWriter)) {
      if (writer === undefined || checkpoint.writer === writer) yield await Promise.resolve(checkpoint);
    }
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  #headOf(writer: string): AuditHead | undefined {
    return this.stored
      .filter((record) => record.writer === writer)
      .toSorted(byWriter)
      .at(-1);
  }
}
