import { readApiKeyEntries } from './api-key-entries.js';
import type { SettingFailure } from './environment-error.js';
import type { Environment } from './environment.js';

/** Who may call the service. A demo has a caller of its own. */
export function checkCallers({ API_KEYS: keys, API_KEYS_FILE: file }: Environment, demo: boolean): SettingFailure[] {
  if (keys !== undefined && file !== undefined) {
    return [{ variable: 'API_KEYS_FILE', reason: 'is set besides API_KEYS: keep one of them' }];
  }
  if (keys !== undefined) {
    const read = readApiKeyEntries(keys.reveal());
    return 'reasons' in read ? [{ variable: 'API_KEYS', reason: read.reasons.join('; ') }] : [];
  }
  if (file !== undefined || demo) return [];
  return [
    {
      variable: 'API_KEYS_FILE',
      reason: 'is missing: set it to the path of the list of callers (or set API_KEYS), since only they are answered',
    },
  ];
}
