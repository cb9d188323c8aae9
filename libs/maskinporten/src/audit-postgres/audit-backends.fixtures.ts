import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import type { AuditDatabase } from './audit-database.js';
import { openPgliteAuditStore } from './pglite-audit-store.js';
import { PostgresCluster, type ClusterOptions } from './postgres-cluster.fixtures.js';
import { PostgresAuditStore } from './postgres-audit-store.js';
import { putEmptyPglite } from './prepared-pglite.fixtures.js';

type Rows = Record<string, unknown>[];

/** A database that the shared suite runs against, empty at each `reset`. */
export interface Backend {
  /** An empty log, and a store on it as the service has it; who takes it closes it. */
  reset(): Promise<PostgresAuditStore>;
  /** As the role that may insert and select. */
  asService(...statements: string[]): Promise<Rows>;
  /** As the one who owns the tables. */
  asOwner(...statements: string[]): Promise<Rows>;
  /** As one who may do everything. */
  asSuperuser(...statements: string[]): Promise<Rows>;
  /** What `look` sees after one who may do everything has run the statements, which are taken back afterwards. */
  meanwhile<T>(statements: readonly string[], look: (store: PostgresAuditStore) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export class PostgresBackend implements Backend {
  #database = '';

  private constructor(readonly cluster: PostgresCluster) {}

  static async start(options?: ClusterOptions): Promise<PostgresBackend> {
    return new PostgresBackend(await PostgresCluster.start(options));
  }

  get urlOfService(): string {
    return this.cluster.url(this.#database, 'service');
  }

  get urlOfOwner(): string {
    return this.cluster.url(this.#database, 'owner');
  }

  async reset(): Promise<PostgresAuditStore> {
    if (this.#database !== '') await this.cluster.dropDatabase(this.#database);
    this.#database = await this.cluster.createLog();
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

  async meanwhile<T>(statements: readonly string[], look: (store: PostgresAuditStore) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.cluster.url(this.#database, 'postgres') });
    await client.connect();
    const run = async (text: string): Promise<void> => void (await client.query(text));
    try {
      return await inTransaction(run, statements, () => look(storeOn((text, values) => client.query(text, values))));
    } finally {
      await client.end();
    }
  }

  async close(): Promise<void> {
    await this.cluster.remove();
  }
}

export class PgliteBackend implements Backend {
  readonly #pglite: PGlite;
  readonly #folder: string;

  private constructor(pglite: PGlite, folder: string) {
    this.#pglite = pglite;
    this.#folder = folder;
  }

  static async start(): Promise<PgliteBackend> {
    const folder = mkdtempSync(join(tmpdir(), 'maskinporten-pglite-'));
    await putEmptyPglite(join(folder, 'data'));
    return new PgliteBackend(await PGlite.create(join(folder, 'data')), folder);
  }

  async reset(): Promise<PostgresAuditStore> {
    await this.#pglite.exec('RESET ROLE; DROP SCHEMA IF EXISTS maskinporten_audit CASCADE');
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

  async meanwhile<T>(statements: readonly string[], look: (store: PostgresAuditStore) => Promise<T>): Promise<T> {
    const run = async (text: string): Promise<void> => void (await this.#pglite.exec(text));
    await run('RESET ROLE');
    try {
      return await inTransaction(run, statements, () =>
        look(storeOn((text, values) => this.#pglite.query(text, values))),
      );
    } finally {
      await run('SET ROLE maskinporten_audit_writer');
    }
  }

  async close(): Promise<void> {
    await this.#pglite.close();
    rmSync(this.#folder, { recursive: true });
  }

  async #run(statements: readonly string[]): Promise<Rows> {
    let rows: Rows = [];
    for (const statement of statements) rows = (await this.#pglite.exec(statement)).at(-1)?.rows ?? [];
    return rows;
  }
}

async function inTransaction<T>(
  run: (statement: string) => Promise<void>,
  statements: readonly string[],
  look: () => Promise<T>,
): Promise<T> {
  await run('BEGIN');
  try {
    for (const statement of statements) await run(statement);
    return await look();
  } finally {
    await run('ROLLBACK');
  }
}

function storeOn(query: (text: string, values: unknown[]) => ReturnType<AuditDatabase['query']>): PostgresAuditStore {
  return new PostgresAuditStore({
    database: { query: (text, values = []) => query(text, [...values]), close: () => Promise.resolve() },
  });
}
