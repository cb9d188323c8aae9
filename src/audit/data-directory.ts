import { chmod, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EnvironmentError } from '../config/index.js';

/** Kept in memory, and gone when the process ends. */
export const IN_MEMORY = 'memory://';

/**
 * Makes the folder of the embedded database and of what is beside it, or closes one that is there to other users.
 *
 * @returns the folder for the database, which is made and locked when it is opened
 * @throws EnvironmentError when it cannot be written, or stays open to others
 */
export async function makeDataDirectory(path: string): Promise<string> {
  let mode: number;
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    // What cannot be changed may be right already: the look at it decides.
    await chmod(path, 0o700).catch(() => undefined);
    ({ mode } = await stat(path));
  } catch {
    throw wrongDirectory('names a folder that cannot be written: mount a volume there, or set DATABASE_URL');
  }
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw wrongDirectory(
      'names a folder that is open to other users and cannot be closed to them (mode 0700): name a folder below it',
    );
  }
  return join(path, 'database');
}

export const wrongDirectory = (reason: string): EnvironmentError =>
  new EnvironmentError([{ variable: 'AUDIT_DATA_DIR', reason }]);
