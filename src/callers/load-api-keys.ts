import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { EnvironmentError, readApiKeyEntries, type ApiKeyEntry, type Environment } from '../config/index.js';
import { ApiKeys } from './api-keys.js';

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
