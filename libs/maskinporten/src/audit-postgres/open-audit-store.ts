import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { errorCode, FolderInUseError, FolderLock, TemporaryFolder } from '../basics/index.js';
import { copyFolder, folderState } from './copy-folder.js';
import { pgliteDatabase, type PgliteFolder } from './pglite-audit-store.js';
import { PostgresAuditStore } from './postgres-audit-store.js';

/** Pages are read whole, so a busy server may take longer than when it writes. */
const READ_TIMEOUT_MS = 60_000;

/**
 * Opens a log to read it, as it is: nothing is made and nothing migrated. Of a PGlite a copy is read, in a temporary folder
 * that goes with the store: PGlite writes when it opens, also into a log that somebody else has open (F-152).
 *
 * @param where `postgresql://…`, or a folder: that of a PGlite, or the service's `AUDIT_DATA_DIR` around it
 * @param project folder whose PGlite is used
 * @throws FolderInUseError when somebody has the folder; Error with `code` `ENOENT` when there is no database in it,
 *   `MODULE_NOT_FOUND` when PGlite is not installed
 */
export async function openAuditStore(where: string, project: string): Promise<PostgresAuditStore> {
  if (/^postgres(?:ql)?:/.test(where)) {
    return new PostgresAuditStore({ connectionString: where, timeoutMs: READ_TIMEOUT_MS });
  }
  const folder = await databaseFolder(where);
  const entry = createRequire(join(project, 'package.json')).resolve('@electric-sql/pglite');
  const { PGlite } = (await import(pathToFileURL(entry).href)) as Pick<PgliteFolder, 'PGlite'>;
  const copy = await TemporaryFolder.make('audit-copy-');
  try {
    await copyUnused(folder, copy.path);
    const database = pgliteDatabase(await PGlite.create(copy.path));
    const close = async (): Promise<void> => {
      try {
        await database.close();
      } finally {
        await copy.remove();
      }
    };
    return new PostgresAuditStore({ database: { ...database, close } });
  } catch (error) {
    await copy.remove();
    throw error;
  }
}

/** The folder itself or, in that of a service, the one that its database is in. PGlite would make a new one elsewhere. */
async function databaseFolder(where: string): Promise<string> {
  const inner = join(where, 'database');
  const isInner = await stat(join(inner, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
  if (isInner) return inner;
  await stat(join(where, 'PG_VERSION'));
  return where;
}

/** @throws FolderInUseError when somebody has the folder, or had it while it was copied */
async function copyUnused(folder: string, copy: string): Promise<void> {
  await refuseHeld(folder);
  try {
    const before = await copyFolder(folder, copy);
    await refuseHeld(folder);
    if ((await folderState(folder)) === before) return;
  } catch (error) {
    // A file that was there a moment ago is gone.
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  throw new FolderInUseError(folder);
}

async function refuseHeld(folder: string): Promise<void> {
  const file = await FolderLock.heldFile(folder);
  if (file !== undefined) throw new FolderInUseError(file);
}
