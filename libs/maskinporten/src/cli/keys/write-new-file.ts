import { randomBytes } from 'node:crypto';
import { link, lstat, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCode } from '../../basics/index.js';

export interface WriteOptions {
  /** Permission bits, from the first moment on. */
  readonly mode: number;
  /** Replace a file that is there. */
  readonly force: boolean;
}

export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Writes a file as a whole or not at all: nobody sees half of it, nobody sees it with wider permissions first, and a
 * link at its place is replaced and not followed.
 *
 * @throws Error with code `EEXIST` when the file is there and `force` is not set.
 */
export async function writeNewFile(path: string, content: string, { mode, force }: WriteOptions): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await writeFile(temporary, content, { mode, flag: 'wx', flush: true });
    if (force) await rename(temporary, path);
    else await link(temporary, path);
  } finally {
    // After a rename it is gone; whatever else happened, half a file or a private key must not stay behind.
    await rm(temporary, { force: true });
  }
}
