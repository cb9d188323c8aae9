import type { PendingRecord } from './pending-record.js';

/** Records in the order in which they were written, so many and no more; what does not fit is counted. */
export class PendingQueue {
  #records: PendingRecord[] = [];
  #unreported = 0;
  #lost = 0;
  readonly #capacity: number;
  readonly #gapOf: (lost: number) => PendingRecord;

  /** @param gapOf makes the record that tells of lost ones */
  constructor(capacity: number, gapOf: (lost: number) => PendingRecord) {
    this.#capacity = capacity;
    this.#gapOf = gapOf;
  }

  get length(): number {
    return this.#records.length;
  }

  get isEmpty(): boolean {
    return this.#records.length === 0 && this.#unreported === 0;
  }

  /** All that were lost so far. */
  get lost(): number {
    return this.#lost;
  }

  /** @returns false when there is no room; the record is settled then */
  add(record: PendingRecord): boolean {
    if (this.#records.length >= this.#capacity) {
      this.lose([record]);
      return false;
    }
    this.#reportGap();
    this.#records.push(record);
    return true;
  }

  /** The one that ends the log: it always has room. */
  addLast(record: PendingRecord): void {
    this.#reportGap();
    this.#records.push(record);
  }

  /** Gives up records. What was only to happen with its record did not happen, so that nothing is lost with it. */
  lose(records: readonly PendingRecord[]): void {
    for (const record of records) {
      if (!record.required && record.content.kind !== 'gap' && record.content.kind !== 'closed') {
        this.#lost += 1;
        this.#unreported += 1;
      }
      record.settle(record.required ? 'refused' : 'lost');
    }
  }

  /** The next ones, without those that were given up. A gap comes where the lost ones would have been. */
  take(count: number): PendingRecord[] {
    this.#records = this.#records.filter(({ isGivenUp }) => !isGivenUp);
    if (this.#records.length < count) this.#reportGap();
    return this.#records.splice(0, count);
  }

  /** Gives up everything that must not happen without its record. */
  refuseRequired(): void {
    for (const record of this.#records) if (record.required) record.settle('refused');
    this.#records = this.#records.filter(({ required }) => !required);
  }

  /** Gives up everything. */
  loseAll(): void {
    this.lose(this.#records.splice(0));
  }

  #reportGap(): void {
    if (this.#unreported === 0) return;
    this.#records.push(this.#gapOf(this.#unreported));
    this.#unreported = 0;
  }
}
