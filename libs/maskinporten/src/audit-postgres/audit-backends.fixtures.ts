import { PGlite } from '@electric-sql/pglite';
import type { AuditStore } from '../audit/index.js';
import { migrateAuditDatabase } from './migrate-audit-database.js';
import { openPgliteAuditStore } from './pglite-audit-store.js';
import { PostgresCluster } from './postgres-cluster.fixtures.js';
import { PostgresAuditStore } from './postgres-audit-store.js';

type Rows = Record<string, unknown>[];

/** A database that the shared suite runs against, empty at each `reset`. */
export interface Backend {
  /** An empty log, and a store on it as the service has it; whoever takes it closes it. */
  reset(): Promise<AuditStore>;
  /** As the role that may insert and select. */
  asService(...statements: string[]): Promise<Rows>;
  /** As the one who owns the tables. */
  asOwner(...statements: string[]): Promise<Rows>;
  /** As one who may do everything. */
  asSuperuser(...statements: string[]): Promise<Rows>;
  close(): Promise<void>;
}

export class PostgresBackend implements Backend {
  #database = '';

  private constructor(readonly cluster: PostgresCluster) {}

  static async start(): Promise<PostgresBackend> {
    return new PostgresBackend(await PostgresCluster.start());
  }

  get urlOfService(): string {
    return this.cluster.url(this.#database, 'service');
  }

  get urlOfOwner(): string {
    return this.cluster.url(this.#database, 'owner');
  }

  async reset(): Promise<PostgresAuditStore> {
    if (this.#database === '') this.#database = await this.cluster.createDatabase();
    else await this.asOwner('DROP SCHEMA IF EXISTS maskinporten_audit CASCADE');
    await migrateAuditDatabase({ connectionString: this.urlOfOwner, runningRole: 'service' });
    return this.open();
  }

  open(timeoutMs?: number): PostgresAuditStore {
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    return new PostgresAuditStore({ connectionString: this.urlOfService, ...limit });
  }

  asService(...statements: string[]): Promise<Rows> {
    return this.cluster.asService(this.#database, ...statements);
  }

  asOwner(...statements: string[]): Promise<Rows> {
    return this.cluster.asOwner(this.#database, ...statements);
  }

  asSuperuser(...statements: string[]): Promise<Rows> {
    return this.cluster.asSuperuser(this.#database, ...statements);
  }

  async close(): Promise<void> {
    await this.cluster.remove();
  }
}

export class PgliteBackend implements Backend {
  readonly #pglite: PGlite;

  private constructor(pglite: PGlite) {
    this.#pglite = pglite;
  }

  static async start(): Promise<PgliteBackend> {
    return new PgliteBackend(await PGlite.create());
  }

  async reset(): Promise<PostgresAuditStore> {
    await this.#pglite.exec('RESET ROLE; DROP SCHEMA IF EXISTS maskinporten_audit CASCADE');
    return this.open();
  }

  open(): Promise<PostgresAuditStore> {
    return openPgliteAuditStore({
      query: (text, values) => this.#pglite.query(text, values),
      exec: (text) => this.#pglite.exec(text),
      // A store closes its PGlite; the next test needs it.
      close: () => Promise.resolve(),
    });
  }

  asService(...statements: string[]): Promise<Rows> {
    return this.#run(statements);
  }

  /** The only other one there is. */
  asOwner(...statements: string[]): Promise<Rows> {
    return this.asSuperuser(...statements);
  }

  async asSuperuser(...statements: string[]): Promise<Rows> {
    await this.#pglite.exec('RESET ROLE');
    try {
      return await this.#run(statements);
    } finally {
      await this.#pglite.exec('SET ROLE maskinporten_audit_writer');
    }
  }

  async close(): Promise<void> {
    await this.#pglite.close();
  }

  async #run(statements: readonly string[]): Promise<Rows> {
    let rows: Rows = [];
    for (const statement of statements) rows = (await this.#pglite.exec(statement)).at(-1)?.rows ?? [];
    return rows;
  }
}
