import { readFile } from 'node:fs/promises';
import { withoutByteOrderMark, withoutLineBreak } from '../basics/index.js';
import { createError } from '../errors/index.js';
import type { Pkcs11Settings } from './pkcs11-options.js';

/**
 * The PIN as it is configured now: a file is read each time, so that a new PIN needs no restart.
 *
 * @throws MaskinportenConfigurationError when the file cannot be read.
 */
export async function pinOf({ pin, pinFile }: Pick<Pkcs11Settings, 'pin' | 'pinFile'>): Promise<string | undefined> {
  if (pinFile === undefined) return pin;
  try {
    const text = withoutLineBreak(withoutByteOrderMark(await readFile(pinFile, 'utf8')));
    if (text !== '' && text.length <= 255 && !/[\0\r\n]/.test(text)) return text;
  } catch {
    // Said below, without what the file system says.
  }
  throw createError('MP_CONFIG', {
    message: 'PKCS#11: the PIN file cannot be read, or is not one line.',
    field: 'pkcs11.pinFile',
  });
}
