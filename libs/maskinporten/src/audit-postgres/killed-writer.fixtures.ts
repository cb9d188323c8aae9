import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { compileRooms } from '../keys/compiled-rooms.fixtures.js';

/** What the process does: requests side by side, each says on stdout that its intent is durable, at once and unbuffered. */
const PROGRAM = `
import { randomUUID } from 'node:crypto';
import { readFileSync, writeSync } from 'node:fs';
import { AuditLog } from './audit/index.js';
const [where, keyFile] = process.argv.slice(2);
const onServer = async () => {
  const { PostgresAuditStore } = await import('./audit-postgres/postgres-audit-store.js');
  return new PostgresAuditStore({ connectionString: where });
};
const embedded = async () => {
  const { openPgliteAuditStore } = await import('./audit-postgres/pglite-audit-store.js');
  const { PGlite } = await import('@electric-sql/pglite');
  return openPgliteAuditStore({ folder: where, PGlite });
};
const log = new AuditLog({
  store: where.startsWith('postgresql:') ? await onServer() : await embedded(),
  checkpointKey: readFileSync(keyFile, 'utf8'),
  checkpointEvery: { records: 20 },
  deadlineMs: 60_000,
});
writeSync(1, 'ready\\n');
const serve = async () => {
  for (;;) {
    const requestId = randomUUID();
    log.record({ kind: 'delegation', requestId, decision: 'allowed' });
    await log.write({ kind: 'call-intent', requestId, organisation: '310000027' }, { required: true });
    writeSync(1, requestId + '\\n');
    log.record({ kind: 'call-outcome', requestId, status: 200 });
  }
};
await Promise.all(Array.from({ length: 8 }, serve));
`;

/** The library compiled into a folder of its own, for processes that are killed. */
export class KilledWriters {
  readonly folder = mkdtempSync(join(tmpdir(), 'maskinporten-killed-'));
  readonly #keyFile: string;

  constructor(privateKeyPem: string) {
    compileRooms(this.folder, ['basics', 'errors', 'audit', 'audit-postgres']);
    cpSync(join(import.meta.dirname, 'migrations'), join(this.folder, 'audit-postgres/migrations'), {
      recursive: true,
    });
    // The Nest module is not needed, and loading it would be most of the life of such a process.
    const door = join(this.folder, 'audit/index.js');
    const text = readFileSync(door, 'utf8').replace(/export \{ MaskinportenAuditModule \}.*\n/, '');
    writeFileSync(door, text);
    writeFileSync(join(this.folder, 'writer.js'), PROGRAM);
    this.#keyFile = join(this.folder, 'key.pem');
    writeFileSync(this.#keyFile, privateKeyPem, { mode: 0o600 });
  }

  /**
   * Lets a process write until it has acknowledged so many records, and kills it in the middle of what it does.
   *
   * @param meanwhile what is done while it runs, before the kill
   * @returns the records that it acknowledged
   */
  async killAfter(count: number, where: string, meanwhile?: () => Promise<void>): Promise<string[]> {
    const child = spawn(process.execPath, [join(this.folder, 'writer.js'), where, this.#keyFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const acknowledged: string[] = [];
    let isReady = false;
    let left = count;
    // What was written before the kill arrives after it: all of it counts.
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'ready') isReady = true;
      else acknowledged.push(line);
      if (left === 0) {
        await meanwhile?.();
        kill(child);
      }
      left -= 1;
    }
    if (!isReady || left >= 0) throw new Error(`the writer ended by itself: ${errors}`);
    return acknowledged;
  }
}

function kill(child: ChildProcess): void {
  child.kill('SIGKILL');
}
