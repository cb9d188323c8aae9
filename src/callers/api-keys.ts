import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiKeyEntry } from '../config/index.js';
import type { Caller } from './caller.js';

/** RFC 6750 §2.1; one space and one key. */
const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i;

/** The keys that callers may show. Only their hashes are known here. */
export class ApiKeys {
  readonly #entries: readonly ApiKeyEntry[];

  constructor(entries: readonly ApiKeyEntry[]) {
    this.#entries = entries;
  }

  /** Who shows a key in this `Authorization` header; undefined without one that is known. */
  callerIn(authorization: string | undefined): Caller | undefined {
    const [, key] = BEARER.exec(authorization ?? '') ?? [];
    return key === undefined ? undefined : this.callerOf(key);
  }

  /** Whose key this is. Every entry is looked at, each in constant time, so that the time taken says nothing. */
  callerOf(key: string): Caller | undefined {
    const hash = createHash('sha256').update(key).digest();
    let found: Caller | undefined;
    for (const { name, sha256, organisations } of this.#entries) {
      if (timingSafeEqual(sha256, hash)) found = { name, organisations };
    }
    return found;
  }
}
