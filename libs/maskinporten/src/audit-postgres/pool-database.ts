import pg from 'pg';
import { ownMembers } from '../basics/index.js';
import type { AuditDatabase, Row } from './audit-database.js';

/** A `Pool` of `pg`, as far as it is used. */
export interface PgPool {
  query(text: string, values?: unknown[]): Promise<{ rows: Row[] }>;
  end(): Promise<void>;
}

export interface PostgresConnection {
  /** `postgresql://…` of the running role, which needs to be able to insert and select only. */
  readonly connectionString: string;
  /** How long a connection and a statement may take, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
  /** Default 4: one writes, the others read. */
  readonly maxConnections?: number;
}

/**
 * A pool of your own, with its time limits: without a `query_timeout`, a connection that hangs holds up the log for as long
 * as it hangs. Its connections need the isolation level *read committed*, which is PostgreSQL's default.
 */
export interface PostgresPool {
  readonly pool: PgPool;
}

export function poolDatabase(connection: PostgresConnection | PostgresPool): AuditDatabase {
  const shared = ownMembers<Partial<PostgresPool>>(connection as PostgresPool).pool;
  const pool = shared ?? ownPool(ownMembers(connection as PostgresConnection));
  return {
    // A pool throws a connection away that a statement failed on.
    query: (text, values = []) => pool.query(text, [...values]),
    close: async () => {
      if (shared === undefined) await pool.end();
    },
  };
}

/**
 * Before a new connection is used: the default of the database or the role may be another level, with which an append
 * would look at what was there before it waited for others (F-154).
 */
function setIsolation(client: pg.ClientBase, done: (error?: Error) => void): void {
  client.query('SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED', (error?: Error | null) =>
    done(error ?? undefined),
  );
}

function ownPool({ connectionString, timeoutMs = 5_000, maxConnections = 4 }: PostgresConnection): PgPool {
  const config: pg.PoolConfig & { verify: typeof setIsolation } = {
    verify: setIsolation,
    connectionString,
    max: maxConnections,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    statement_timeout: timeoutMs,
    keepAlive: true,
    application_name: 'maskinporten-audit',
  };
  const pool = new pg.Pool(config);
  // An idle connection that breaks is replaced when it is needed; unhandled, it would end the process.
  pool.on('error', () => undefined);
  return pool;
}
