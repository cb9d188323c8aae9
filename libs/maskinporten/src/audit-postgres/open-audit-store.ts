import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pgliteDatabase, type PgliteLike } from './pglite-audit-store.js';
import { PostgresAuditStore } from './postgres-audit-store.js';

/** Pages are read whole, so a busy server may take longer than when it writes. */
const READ_TIMEOUT_MS = 60_000;

/**
 * Opens a log to read it, as it is: nothing is made and nothing migrated.
 *
 * @param where `postgresql://…`, or the folder of a PGlite that nothing else has open
 * @param project folder whose PGlite is used
 * @throws Error with `code` `ENOENT` when the folder does not exist, `MODULE_NOT_FOUND` when PGlite is not installed
 */
export async function openAuditStore(where: string, project: string): Promise<PostgresAuditStore> {
  if (/^postgres(?:ql)?:/.test(where)) {
    return new PostgresAuditStore({ connectionString: where, timeoutMs: READ_TIMEOUT_MS });
  }
  // PGlite would make a new one where there is none.
  await stat(join(where, 'PG_VERSION'));
  const entry = createRequire(join(project, 'package.json')).resolve('@electric-sql/pglite');
  const { PGlite } = (await import(pathToFileURL(entry).href)) as { PGlite: new (folder: string) => PgliteLike };
  return new PostgresAuditStore({ database: pgliteDatabase(new PGlite(where)) });
}
