import { ConfigurationFailures, isMaskinportenError } from '../errors/index.js';
import { KeyFileWatch, type KeyReloadFailure } from './key-file-watch.js';
import { KeyRing } from './key-ring.js';
import type { FileKeySource, KeySource } from './key-source.js';
import type { LoadKeyOptions } from './load-key-options.js';
import { loadKey, type LoadedKey } from './load-signing-key.js';
import type { SigningKey } from './signing-key.js';

export interface LoadKeyRingOptions extends LoadKeyOptions {
  /** A last look at a key that was read again from its file: throws what makes it unfit for this client. */
  readonly check?: (key: SigningKey) => void;
  /** A changed file could not be taken; the key that was loaded before still signs. */
  readonly onReloadFailure?: (failure: KeyReloadFailure) => void;
  readonly monotonicMs?: () => number;
}

/** A ring and the watches of the files in it, none of them started. */
export interface LoadedKeyRing {
  readonly ring: KeyRing;
  readonly watches: readonly KeyFileWatch[];
}

/**
 * Loads one source, or several of which the first is current and the rest are fallbacks.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) that lists what is wrong with every source: `key.pem` for a
 *   single one, `key[1].pem` in a list.
 * @throws SigningCredentialError when the only thing wrong is a certificate out of its time.
 */
export async function loadKeyRing(
  sources: KeySource | readonly KeySource[],
  options: LoadKeyRingOptions = {},
): Promise<KeyRing> {
  return (await loadWatchedKeyRing(sources, options)).ring;
}

/** `loadKeyRing` with the means to notice that a key file has changed: `start` the watches, and `close` them. */
export async function loadWatchedKeyRing(
  sources: KeySource | readonly KeySource[],
  options: LoadKeyRingOptions = {},
): Promise<LoadedKeyRing> {
  const field = options.field ?? 'key';
  const fields = isList(sources) ? sources.map((_, index) => `${field}[${index}]`) : [field];
  const list = isList(sources) ? sources : [sources];
  const [first, ...rest] = await loadAll(list, fields, options);
  if (first === undefined) {
    const failures = new ConfigurationFailures();
    failures.add(field, 'must hold at least one key');
    throw failures.toError();
  }
  const clocks = { ...ifGiven('now', options.now), ...ifGiven('monotonicMs', options.monotonicMs) };
  const ring = new KeyRing([first.key, ...rest.map(({ key }) => key)], clocks);
  const watches = [first, ...rest].flatMap(({ digest }, index) => {
    const source = list[index];
    if (digest === undefined || source === undefined || !('file' in source) || source.watch === false) return [];
    return [watchOf(ring, index, { source, digest, field: fields[index] ?? field }, options)];
  });
  return { ring, watches };
}

async function loadAll(
  sources: readonly KeySource[],
  fields: readonly string[],
  options: LoadKeyRingOptions,
): Promise<readonly LoadedKey[]> {
  const failures = new ConfigurationFailures();
  const refusals: unknown[] = [];
  const loaded: LoadedKey[] = [];
  for (const [index, source] of sources.entries()) {
    try {
      loaded.push(await loadKey(source, { ...options, ...ifGiven('field', fields[index]) }));
    } catch (error) {
      if (!isMaskinportenError(error)) throw error;
      failures.addAll(error.failures);
      refusals.push(error);
    }
  }
  if (refusals.length === 1) throw refusals[0];
  failures.throwIfAny();
  return loaded;
}

function watchOf(
  ring: KeyRing,
  index: number,
  { source, digest, field }: { readonly source: FileKeySource; readonly digest: string; readonly field: string },
  options: LoadKeyRingOptions,
): KeyFileWatch {
  return new KeyFileWatch({
    source,
    field,
    digest,
    load: async (content) => {
      const { key } = await loadKey(source, { ...options, field }, content);
      options.check?.(key);
      return key;
    },
    onKey: (key) => ring.replace(index, key),
    onFailure: (failure) => options.onReloadFailure?.(failure),
  });
}

function isList(sources: KeySource | readonly KeySource[]): sources is readonly KeySource[] {
  return Array.isArray(sources);
}

function ifGiven<K extends string, V>(name: K, value: V | undefined): { readonly [name in K]?: V } {
  const nothing: { readonly [name in K]?: V } = {};
  return value === undefined ? nothing : Object.assign(nothing, { [name]: value });
}
