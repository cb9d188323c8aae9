import { FolderLock } from '../basics/index.js';
import type { AuditDatabase, Row } from './audit-database.js';
import { auditFolderError, explainLock, makePrivateFolder } from './audit-folder.js';
import { migrate, type MigrationClient } from './migrate-audit-database.js';
import { PostgresAuditStore } from './postgres-audit-store.js';

/** A `PGlite` of `@electric-sql/pglite`, as far as it is used. */
export interface PgliteLike {
  /** Where it keeps its data; undefined or `memory://` for one that keeps it in memory. */
  readonly dataDir?: string | undefined;
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
  exec(text: string): Promise<{ rows: Record<string, unknown>[] }[]>;
  close(): Promise<void>;
}

/** A log in a folder. */
export interface PgliteFolder {
  /** Is made when it is not there. Nobody else may have anything in it. */
  readonly folder: string;
  /** The class that `@electric-sql/pglite` exports. */
  readonly PGlite: { create(folder: string): Promise<PgliteLike> };
}

const WRITER = 'maskinporten_audit_writer';

/**
 * Opens the audit log in an embedded PGlite: makes its tables, and continues as a role that can insert and select only.
 * The folder is locked first and until the store is closed, and closed to other users (mode 0700). Closing the store
 * closes the PGlite.
 *
 * @param where a folder; or a PGlite that keeps its data in memory
 * @throws MaskinportenConfigurationError (`MP_CONFIG`, field `audit.folder`) when another process has the folder, or it
 *   cannot be locked or closed to others; errors of the file system and of the database
 * @example
 * import { PGlite } from '@electric-sql/pglite';
 * const store = await openPgliteAuditStore({ folder: './data/audit', PGlite });
 */
export async function openPgliteAuditStore(where: PgliteFolder | PgliteLike): Promise<PostgresAuditStore> {
  if (isFolder(where)) return openFolder(where);
  if (where.dataDir !== undefined && !where.dataDir.startsWith('memory:')) {
    throw auditFolderError('is open already: give { folder, PGlite }, so that it is locked before it is opened');
  }
  return openDatabase(where);
}

const isFolder = (where: PgliteFolder | PgliteLike): where is PgliteFolder => Object.hasOwn(where, 'folder');

async function openFolder({ folder, PGlite }: PgliteFolder): Promise<PostgresAuditStore> {
  // PGlite reads an address here too, and what is locked would be another folder than the one that it writes to.
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(folder)) {
    throw auditFolderError('is an address: give the path of a folder, or a PGlite that keeps its data in memory');
  }
  await makePrivateFolder(folder);
  const lock = await FolderLock.take(folder).catch((error: unknown) => {
    throw explainLock(error);
  });
  try {
    const pglite = await PGlite.create(folder);
    const close = async (): Promise<void> => {
      try {
        await pglite.close();
      } finally {
        await lock.release();
      }
    };
    const locked: PgliteLike = {
      query: (text, values) => pglite.query(text, values),
      exec: (text) => pglite.exec(text),
      close,
    };
    return await openDatabase(locked).catch(async (error: unknown) => {
      await pglite.close().catch(() => undefined);
      throw error;
    });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openDatabase(pglite: PgliteLike): Promise<PostgresAuditStore> {
  const database = pgliteDatabase(pglite);
  // Only `exec` takes several statements at once, as a migration has them.
  const client: MigrationClient = {
    query: async (text, values) => {
      if (values !== undefined && values.length > 0) return pglite.query(text, values) as Promise<{ rows: Row[] }>;
      return (await pglite.exec(text)).at(-1) ?? { rows: [] };
    },
  };
  const { rows } = await pglite.query('SELECT FROM pg_roles WHERE rolname = $1', [WRITER]);
  if (rows.length === 0) await pglite.exec(`CREATE ROLE ${WRITER} NOLOGIN`);
  await migrate(client, WRITER);
  // The folder may have another default (F-154).
  await pglite.exec('SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED');
  await pglite.exec(`SET ROLE ${WRITER}`);
  return new PostgresAuditStore({ database });
}

export function pgliteDatabase(pglite: PgliteLike): AuditDatabase {
  return {
    query: (text, values = []) => pglite.query(text, [...values]) as Promise<{ rows: Row[] }>,
    close: () => pglite.close(),
  };
}
