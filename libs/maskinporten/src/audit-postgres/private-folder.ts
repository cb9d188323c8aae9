import { chmod, mkdir, stat } from 'node:fs/promises';
import { auditFolderError } from './audit-folder-error.js';

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
