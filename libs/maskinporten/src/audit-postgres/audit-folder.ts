import { chmod, mkdir, stat } from 'node:fs/promises';
import { FolderInUseError, FolderNotLockableError } from '../basics/index.js';
import { configurationError } from '../errors/index.js';

/** `MP_CONFIG` for the folder of an embedded log. */
export const auditFolderError = (reason: string): Error =>
  configurationError([{ field: 'audit.folder', code: 'MP_CONFIG', reason }]);

/** What to do when the lock of a folder cannot be had; any other error as it is. */
export function explainLock(error: unknown): unknown {
  if (error instanceof FolderInUseError) {
    return auditFolderError(
      `is in use: another process holds ${error.file}; stop it, give each its own folder, or use PostgreSQL (DATABASE_URL)`,
    );
  }
  if (error instanceof FolderNotLockableError) {
    return auditFolderError(
      `cannot be kept for one process: ${error.message}; name a folder on a disk of this machine, or use PostgreSQL (DATABASE_URL)`,
    );
  }
  return error;
}

/**
 * Makes a folder that only its owner can enter, or makes one that is there such a folder: PGlite makes files that
 * everybody may read and write (F-157).
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) when it stays open to others; errors of the file system
 */
export async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Windows has no such bits; a folder there has the rights of the one above.
  if (process.platform === 'win32') return;
  // What cannot be changed may be right already: the look at it decides.
  await chmod(folder, 0o700).catch(() => undefined);
  if (((await stat(folder)).mode & 0o077) === 0) return;
  throw auditFolderError(
    'is open to other users, and cannot be closed to them (mode 0700): name a folder below it, which is then made',
  );
}
