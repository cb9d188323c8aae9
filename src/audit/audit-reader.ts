import { Injectable } from '@nestjs/common';
import { AuditLog, type AuditPage, type AuditRecord, type AuditSearch } from 'nestjs-maskinporten';
import type { Caller } from '../callers/index.js';

const SETTLE_LIMIT_MS = 500;
const SETTLE_STEP_MS = 10;

/** Reads the audit log for callers, as far as they may see it. */
@Injectable()
export class AuditReader {
  constructor(private readonly log: AuditLog) {}

  /**
   * What is recorded of a request, tokens that it used included, by time.
   *
   * @returns undefined when there is nothing, or nothing that this caller may see: it made the request itself, or may act
   *   for every organisation that the request was about
   */
  async ofRequest(requestId: string, caller: Caller): Promise<readonly AuditRecord[] | undefined> {
    await this.#settled();
    const records = await this.log.find({ requestId });
    const own = records.filter((record) => record.requestId === requestId);
    return mayRead(own, caller) ? records : undefined;
  }

  /** @throws RangeError when the day or the cursor is malformed */
  async search(query: AuditSearch): Promise<AuditPage> {
    await this.#settled();
    return this.log.search(query);
  }

  /** Who asks about the request it has just made finds its end, too: what waits is stored a moment later. */
  async #settled(): Promise<void> {
    await this.log.store.opened;
    const { seq, pending } = this.log.status();
    const untilMs = performance.now() + SETTLE_LIMIT_MS;
    const isWaiting = (): boolean => {
      const { degradedSince, seq: now } = this.log.status();
      return degradedSince === undefined && now < seq + pending;
    };
    while (isWaiting() && performance.now() < untilMs) {
      await new Promise((resolve) => {
        setTimeout(resolve, SETTLE_STEP_MS);
      });
    }
  }
}

function mayRead(records: readonly AuditRecord[], { name, organisations }: Caller): boolean {
  if (records.some(({ caller }) => caller === name)) return true;
  const about = records.flatMap(({ organisation, party }) => [organisation, party]).filter((id) => id !== undefined);
  // A request about nobody is its caller's alone.
  return about.length > 0 && about.every((id) => organisations.includes(id));
}
