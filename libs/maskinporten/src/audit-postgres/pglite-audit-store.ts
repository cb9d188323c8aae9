import type { AuditDatabase, Row } from './audit-database.js';
import { migrate, type MigrationClient } from './migrate-audit-database.js';
import { PostgresAuditStore } from './postgres-audit-store.js';

/** A `PGlite` of `@electric-sql/pglite`, as far as it is used. */
export interface PgliteLike {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
  exec(text: string): Promise<{ rows: Record<string, unknown>[] }[]>;
  close(): Promise<void>;
}

const WRITER = 'maskinporten_audit_writer';

/**
 * Opens the audit log in an embedded PGlite: makes its tables, and goes on as a role that can insert and select only. It
 * has the database for itself; closing the store closes the PGlite.
 *
 * @throws errors of the database
 * @example
 * const store = await openPgliteAuditStore(new PGlite('./data/audit'));
 */
export async function openPgliteAuditStore(pglite: PgliteLike): Promise<PostgresAuditStore> {
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
  await pglite.exec(`SET ROLE ${WRITER}`);
  return new PostgresAuditStore({ database });
}

export function pgliteDatabase(pglite: PgliteLike): AuditDatabase {
  return {
    query: (text, values = []) => pglite.query(text, [...values]) as Promise<{ rows: Row[] }>,
    close: () => pglite.close(),
  };
}
