import { join } from 'node:path';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { ownMembers } from '../basics/index.js';
import { configurationError } from '../errors/index.js';

const SCHEMA = 'maskinporten_audit';

/** A connected client of `pg`, as far as it is used. */
export interface MigrationClient {
  query(text: string, values?: unknown[]): Promise<{ rows: Readonly<Record<string, unknown>>[] }>;
}

export interface AuditMigration {
  /** `postgresql://…` of the role that owns the tables; it needs CREATE on the database. */
  readonly connectionString: string;
  /** Role that the service runs as: it is allowed to insert and select, and nothing else. */
  readonly runningRole?: string;
  /** Called with what is done. Default: nothing is said. */
  readonly log?: (line: string) => void;
}

/**
 * Makes the tables of the audit log, or brings them up to date, and allows the running role to use them. Several that do
 * it at once wait for each other; doing it again changes nothing.
 *
 * @returns the names of the migrations that were made
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) when the running role is the owner, a member of it or a
 *   superuser; errors of the database
 * @example
 * await migrateAuditDatabase({ connectionString: ownerUrl, runningRole: 'service' });
 */
export async function migrateAuditDatabase(migration: AuditMigration): Promise<string[]> {
  const { connectionString, runningRole, log } = ownMembers(migration);
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000 });
  // A connection that breaks fails the statement that uses it; here it must not end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await migrate(client, runningRole, log);
  } finally {
    await client.end();
  }
}

/** The same on a client that is connected as the owner. */
export async function migrate(
  client: MigrationClient,
  runningRole: string | undefined,
  log: (line: string) => void = () => undefined,
): Promise<string[]> {
  // Superusers can become anybody, and a role can become those that it is a member of.
  if (runningRole !== undefined) {
    const { rows } = await client.query(`SELECT pg_has_role($1::name, current_user, 'MEMBER') AS owns`, [runningRole]);
    if (rows[0]?.['owns'] === true) {
      const reason =
        'must not be the role that owns the tables, nor one that can become it: an owner can change what it has written';
      throw configurationError([{ field: 'audit.runningRole', code: 'MP_CONFIG', reason }]);
    }
  }
  const { rows } = await client.query(
    `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = '${SCHEMA}') AS present`,
  );
  const done = await runner({
    dbClient: client as pg.ClientBase,
    dir: join(import.meta.dirname, 'migrations'),
    direction: 'up',
    schema: SCHEMA,
    // One who may use the schema need not be allowed to make it.
    createSchema: rows[0]?.['present'] !== true,
    migrationsTable: 'migrations',
    advisoryLockMode: 'wait',
    singleTransaction: true,
    logger: { info: log, warn: log, error: log, debug: log },
  });
  if (runningRole !== undefined) await allow(client, runningRole);
  return done.map(({ name }) => name);
}

async function allow(client: MigrationClient, role: string): Promise<void> {
  const name = `"${role.replaceAll('"', '""')}"`;
  const statements = [
    `REVOKE ALL ON ALL TABLES IN SCHEMA ${SCHEMA} FROM ${name}`,
    `GRANT USAGE ON SCHEMA ${SCHEMA} TO ${name}`,
    `GRANT SELECT, INSERT ON ${SCHEMA}.records, ${SCHEMA}.checkpoints TO ${name}`,
    `GRANT EXECUTE ON FUNCTION ${SCHEMA}.append(jsonb, jsonb), ${SCHEMA}.latest_writer(), ${SCHEMA}.prepare_months(integer) TO ${name}`,
  ];
  for (const statement of statements) await client.query(statement);
}
