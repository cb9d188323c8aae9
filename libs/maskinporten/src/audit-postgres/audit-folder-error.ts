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
