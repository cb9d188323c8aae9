import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type ApiKeyEntry, EnvironmentError, readApiKeyEntries, type Environment } from '../config/index.js';
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

/** A key that exists for this run only. */
export interface DemoCaller {
  readonly apiKey: string;
  readonly organisations: readonly string[];
}

/**
 * The callers that the settings name, and that of the demo.
 *
 * @throws EnvironmentError when the file cannot be read, or holds something else than a list of callers
 */
export async function loadApiKeys(environment: Environment, demo: DemoCaller | undefined): Promise<ApiKeys> {
  const configured = await configuredEntries(environment);
  return new ApiKeys(demo === undefined ? configured : [...configured, demoEntry(demo)]);
}

async function configuredEntries({ API_KEYS, API_KEYS_FILE }: Environment): Promise<readonly ApiKeyEntry[]> {
  if (API_KEYS !== undefined) return entriesOf('API_KEYS', API_KEYS.reveal());
  if (API_KEYS_FILE === undefined) return [];
  const content = await readFile(API_KEYS_FILE, 'utf8').catch(() => {
    throw new EnvironmentError([{ variable: 'API_KEYS_FILE', reason: 'names a file that cannot be read' }]);
  });
  return entriesOf('API_KEYS_FILE', content);
}

function entriesOf(variable: string, json: string): readonly ApiKeyEntry[] {
  const read = readApiKeyEntries(json);
  if ('entries' in read) return read.entries;
  throw new EnvironmentError([{ variable, reason: read.reasons.join('; ') }]);
}

const demoEntry = ({ apiKey, organisations }: DemoCaller): ApiKeyEntry => ({
  name: 'demo',
  sha256: createHash('sha256').update(apiKey).digest(),
  organisations,
});
