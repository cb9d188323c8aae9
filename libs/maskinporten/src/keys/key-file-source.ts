import { createHash } from 'node:crypto';
import { readKeyFile, type KeyFileContent, KeyFailure, type SecretBytes } from '../key-files/index.js';
import type { FileKeySource } from './key-source.js';

/** What the files of one source hold now, read together. */
export interface KeyFileSourceContent {
  readonly key: KeyFileContent;
  readonly certificates?: Buffer;
  /** Changes when one of the files does; compared and never shown, because it is made from a secret. */
  readonly digest: string;
}

/**
 * Reads the key file and, when there is one, the certificate file of `source`.
 *
 * @throws KeyFailure with the path and the reason.
 */
export async function readKeyFileSource(source: FileKeySource, secrets: SecretBytes): Promise<KeyFileSourceContent> {
  if (typeof source.file !== 'string' || source.file === '') throw new KeyFailure('file', 'must be a path', 'source');
  const key = await readKeyFile(source.file, 'file');
  secrets.own(key.bytes);
  const certificates =
    source.certificateFile === undefined
      ? undefined
      : (await readKeyFile(source.certificateFile, 'certificateFile')).bytes;
  const hash = createHash('sha256').update(`${key.bytes.length} `).update(key.bytes);
  if (certificates !== undefined) hash.update(certificates);
  const digest = hash.digest('base64');
  return certificates === undefined ? { key, digest } : { key, certificates, digest };
}
