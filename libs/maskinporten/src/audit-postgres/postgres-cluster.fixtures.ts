import { execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chownSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { needs } from '../../../../test/support/needs.js';
import { copyPrepared, preparedFolder } from '../../../../test/support/prepared-folder.js';
import { migrateAuditDatabase } from './migrate-audit-database.js';

/** Where Debian's package puts the server's programs, newest first. */
function serverPrograms(): string | undefined {
  const root = '/usr/lib/postgresql';
  try {
    const versions = readdirSync(root).toSorted((a, b) => Number(b) - Number(a));
    const bins = versions.map((version) => join(root, version, 'bin'));
    return bins.find((bin) => readdirSync(bin).includes('initdb'));
  } catch {
    return undefined;
  }
}

const PROGRAMS = serverPrograms();

/** Runs tests that need PostgreSQL. */
export function withPostgres(tests: () => void): void {
  needs('PostgreSQL', PROGRAMS !== undefined, tests);
}

interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

/** The server refuses to run as root. */
function serverIdentity(): Identity {
  if (process.getuid?.() !== 0) return {};
  return { uid: idOfPostgres('-u'), gid: idOfPostgres('-g') };
}

const idOfPostgres = (kind: '-u' | '-g'): number =>
  Number(execFileSync('id', [kind, 'postgres'], { encoding: 'utf8' }));

/** Below those that the system gives to who asks for any, so that it stays free while the server is stopped. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Database of a prepared cluster: the tables of an audit log, with nothing in them. Others are copies of it. */
const EMPTY_LOG = 'empty_log';

export interface ClusterOptions {
  /** What is answered is on disk, as by default. Without it everything is quicker, and a crash of the server loses nothing. */
  readonly isDurable?: boolean;
}

/**
 * A PostgreSQL of its own: own folder, own port. `owner` makes tables, `service` is what the application runs as, and the
 * superuser is `postgres`. Its folder is a copy of one that is made once per run of the tests.
 */
export class PostgresCluster {
  readonly #folder: string;
  readonly #identity: Identity;
  readonly #port: number;
  readonly #isDurable: boolean;
  #databases = 0;

  private constructor(folder: string, identity: Identity, port: number, { isDurable = false }: ClusterOptions) {
    this.#folder = folder;
    this.#identity = identity;
    this.#port = port;
    this.#isDurable = isDurable;
  }

  static async start(options: ClusterOptions = {}): Promise<PostgresCluster> {
    const prepared = await preparedFolder('postgres-audit-log', (folder) => PostgresCluster.#prepare(folder));
    const cluster = await PostgresCluster.#inNewFolder(options);
    copyPrepared(prepared, cluster.#data);
    await cluster.startServer();
    return cluster;
  }

  static async #inNewFolder(options: ClusterOptions): Promise<PostgresCluster> {
    const identity = serverIdentity();
    const folder = mkdtempSync(join(tmpdir(), 'maskinporten-postgres-'));
    if (identity.uid !== undefined && identity.gid !== undefined) chownSync(folder, identity.uid, identity.gid);
    return new PostgresCluster(folder, identity, await freePort(), options);
  }

  /** Puts the data of a cluster at `folder` that has the roles and {@link EMPTY_LOG}, and was stopped in order. */
  static async #prepare(folder: string): Promise<void> {
    const cluster = await PostgresCluster.#inNewFolder({});
    const { uid, gid } = cluster.#identity;
    const options = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--no-instructions'];
    await run('initdb', ['-D', cluster.#data, ...options], { uid, gid });
    await cluster.startServer();
    await cluster.asSuperuser('postgres', 'CREATE ROLE owner LOGIN', 'CREATE ROLE service LOGIN');
    await cluster.asSuperuser('postgres', `CREATE DATABASE ${EMPTY_LOG} OWNER owner`);
    await migrateAuditDatabase({ connectionString: cluster.url(EMPTY_LOG, 'owner'), runningRole: 'service' });
    // What nobody copies from, a third of the files.
    await cluster.asSuperuser('postgres', 'ALTER DATABASE template0 IS_TEMPLATE false', 'DROP DATABASE template0');
    await cluster.stopServer('fast');
    renameSync(cluster.#data, folder);
    await cluster.remove();
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  url(database: string, user: 'postgres' | 'owner' | 'service'): string {
    return `postgresql://${user}@127.0.0.1:${this.#port}/${database}`;
  }

  /** One without tables. */
  async createDatabase(): Promise<string> {
    return this.#create('');
  }

  /** One with the tables of an audit log, with nothing in them. */
  async createLog(tablespace?: string): Promise<string> {
    const where = tablespace === undefined ? '' : ` TABLESPACE ${tablespace}`;
    return this.#create(`${where} TEMPLATE ${EMPTY_LOG} STRATEGY file_copy`);
  }

  async #create(how: string): Promise<string> {
    const name = `test_${(this.#databases += 1)}`;
    await this.asSuperuser('postgres', `CREATE DATABASE ${name} OWNER owner${how}`);
    return name;
  }

  async dropDatabase(name: string): Promise<void> {
    await this.asSuperuser('postgres', `DROP DATABASE ${name} WITH (FORCE)`);
  }

  /** Runs statements on a connection of their own; the rows of the last. */
  asSuperuser(database: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
    return this.#statements(database, 'postgres', statements);
  }

  asOwner(database: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
    return this.#statements(database, 'owner', statements);
  }

  asService(database: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
    return this.#statements(database, 'service', statements);
  }

  async startServer(): Promise<void> {
    const options = [
      `-p ${this.#port} -k ${this.#folder} -c listen_addresses=127.0.0.1 -c max_connections=50`,
      ...(this.#isDurable ? [] : ['-c fsync=off -c full_page_writes=off']),
    ];
    // In seconds: only a server that hangs meets it.
    await this.#control('start', '-w', '-t', '600', '-l', join(this.#folder, 'log'), '-o', options.join(' '));
  }

  /** `immediate` is what a crash is: no checkpoint, the log is replayed at the next start. */
  async stopServer(mode: 'fast' | 'immediate'): Promise<void> {
    await this.#control('stop', '-w', '-t', '600', '-m', mode);
  }

  async remove(): Promise<void> {
    await this.stopServer('immediate').catch(() => undefined);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #control(...args: string[]): Promise<void> {
    const { uid, gid } = this.#identity;
    await run('pg_ctl', ['-D', this.#data, ...args], { uid, gid }, join(this.#folder, 'log'));
  }

  async #statements(database: string, user: 'postgres' | 'owner' | 'service', statements: string[]) {
    const client = new pg.Client({ connectionString: this.url(database, user) });
    client.on('error', () => undefined);
    await client.connect();
    try {
      let rows: Record<string, unknown>[] = [];
      for (const statement of statements) ({ rows } = await client.query<Record<string, unknown>>(statement));
      return rows;
    } finally {
      await client.end();
    }
  }
}

function run(
  program: string,
  args: readonly string[],
  identity: { uid: number | undefined; gid: number | undefined },
  log?: string,
): Promise<void> {
  const { uid, gid } = identity;
  return new Promise((resolve, reject) => {
    const child = spawn(join(PROGRAMS ?? '', program), args, {
      // What the server inherits would stay open as long as it runs.
      stdio: 'ignore',
      cwd: '/',
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(`${program} ${args[2] ?? ''} ended with ${String(code)}: ${log === undefined ? '' : tail(log)}`),
        );
    });
  });
}

function tail(path: string): string {
  try {
    return readFileSync(path, 'utf8').slice(-2_000);
  } catch {
    return '';
  }
}
