import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = '/usr/lib/postgresql';

/** A PostgreSQL of its own with Debian's settings: what it acknowledges is on disk. */
export class BenchDatabase {
  private constructor(
    /** Of the superuser, who makes the tables. */
    readonly ownerUrl: string,
    /** Of `service`, who writes. */
    readonly url: string,
    readonly stop: () => void,
  ) {}

  /** Undefined where PostgreSQL is not installed. */
  static async start(): Promise<BenchDatabase | undefined> {
    const version = existsSync(ROOT) ? readdirSync(ROOT).toSorted((a, b) => Number(b) - Number(a))[0] : undefined;
    if (version === undefined) return undefined;
    const folder = mkdtempSync(join(tmpdir(), 'maskinporten-bench-postgres-'));
    const identity = process.getuid?.() === 0 ? { uid: idOfPostgres('-u'), gid: idOfPostgres('-g') } : undefined;
    if (identity !== undefined) chownSync(folder, identity.uid, identity.gid);
    const run = (program: string, ...args: string[]): void => {
      const { status } = spawnSync(join(ROOT, version, 'bin', program), args, {
        ...identity,
        stdio: 'ignore',
        cwd: '/',
      });
      if (status !== 0) throw new Error(`${program} ended with ${status}`);
    };
    const data = join(folder, 'data');
    const port = await freePort();
    run('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync');
    run(
      'pg_ctl',
      '-D',
      data,
      'start',
      '-w',
      '-l',
      join(folder, 'log'),
      '-o',
      `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1`,
    );
    run('createuser', '-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', 'service');
    const at = `127.0.0.1:${port}/postgres`;
    return new BenchDatabase(`postgresql://postgres@${at}`, `postgresql://service@${at}`, () => {
      run('pg_ctl', '-D', data, 'stop', '-w', '-m', 'immediate');
      rmSync(folder, { recursive: true, force: true });
    });
  }
}

const idOfPostgres = (kind: '-u' | '-g'): number =>
  Number(execFileSync('id', [kind, 'postgres'], { encoding: 'utf8' }));

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
