import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { needs } from '../../../../test/support/needs.js';

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

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/**
 * A PostgreSQL of its own: own folder, own port, durable as by default. `owner` makes tables, `service` is what the
 * application runs as, and the superuser is `postgres`.
 */
export class PostgresCluster {
  readonly #folder: string;
  readonly #identity: Identity;
  readonly #port: number;
  #databases = 0;

  private constructor(folder: string, identity: Identity, port: number) {
    this.#folder = folder;
    this.#identity = identity;
    this.#port = port;
  }

  static async start(): Promise<PostgresCluster> {
    const identity = serverIdentity();
    const folder = mkdtempSync(join(tmpdir(), 'maskinporten-postgres-'));
    if (identity.uid !== undefined && identity.gid !== undefined) chownSync(folder, identity.uid, identity.gid);
    const cluster = new PostgresCluster(folder, identity, await freePort());
    const { uid, gid } = identity;
    await run('initdb', ['-D', cluster.#data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'], {
      uid,
      gid,
    });
    await cluster.startServer();
    await cluster.asSuperuser('postgres', 'CREATE ROLE owner LOGIN', 'CREATE ROLE service LOGIN');
    return cluster;
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  url(database: string, user: 'postgres' | 'owner' | 'service'): string {
    return `postgresql://${user}@127.0.0.1:${this.#port}/${database}`;
  }

  async createDatabase(tablespace?: string): Promise<string> {
    const name = `test_${(this.#databases += 1)}`;
    const where = tablespace === undefined ? '' : ` TABLESPACE ${tablespace}`;
    await this.asSuperuser('postgres', `CREATE DATABASE ${name} OWNER owner${where}`);
    return name;
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
    const options = `-p ${this.#port} -k ${this.#folder} -c listen_addresses=127.0.0.1 -c max_connections=50`;
    await this.#control('start', '-w', '-t', '60', '-l', join(this.#folder, 'log'), '-o', options);
  }

  /** `immediate` is what a crash is: no checkpoint, the log is replayed at the next start. */
  async stopServer(mode: 'fast' | 'immediate'): Promise<void> {
    await this.#control('stop', '-w', '-m', mode);
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
