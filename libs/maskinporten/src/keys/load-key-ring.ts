import { ConfigurationFailures, isMaskinportenError } from '../errors/index.js';
import { KeyRing } from './key-ring.js';
import type { KeySource } from './key-source.js';
import { loadSigningKey, type LoadKeyOptions } from './load-signing-key.js';
import type { SigningKey } from './signing-key.js';

/**
 * Loads one source, or several of which the first is current and the rest are fallbacks.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) that lists what is wrong with every source: `key.pem` for a
 *   single one, `key[1].pem` in a list.
 * @throws SigningCredentialError when the only thing wrong is a certificate out of its time.
 */
export async function loadKeyRing(
  sources: KeySource | readonly KeySource[],
  options: LoadKeyOptions = {},
): Promise<KeyRing> {
  const field = options.field ?? 'key';
  if (!isList(sources)) return new KeyRing([await loadSigningKey(sources, { ...options, field })]);
  const failures = new ConfigurationFailures();
  const refusals: unknown[] = [];
  const keys: SigningKey[] = [];
  for (const [index, source] of sources.entries()) {
    try {
      keys.push(await loadSigningKey(source, { ...options, field: `${field}[${index}]` }));
    } catch (error) {
      if (!isMaskinportenError(error)) throw error;
      failures.addAll(error.failures);
      refusals.push(error);
    }
  }
  if (refusals.length === 1) throw refusals[0];
  failures.throwIfAny();
  const [current, ...fallbacks] = keys;
  if (current === undefined) {
    failures.add(field, 'must hold at least one key');
    throw failures.toError();
  }
  return new KeyRing([current, ...fallbacks]);
}

function isList(sources: KeySource | readonly KeySource[]): sources is readonly KeySource[] {
  return Array.isArray(sources);
}
