import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preparedPglite } from '../../libs/maskinporten/src/audit-postgres/prepared-pglite.fixtures.js';
import { copyPrepared } from './prepared-folder.js';

const root = join(import.meta.dirname, '../..');
const main = join(root, 'dist/main.js');
/** To make a database takes each process seconds of CPU, to copy one does not. */
const database = await preparedPglite();
const running = new Set<ChildProcess>();

/** Ends what a failed test left behind. */
export function killChildren(): void {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
}

/** A folder with an empty audit log in an embedded database. */
function newLog(): string {
  const folder = mkdtempSync(join(tmpdir(), 'service-audit-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  copyPrepared(database, join(folder, 'database'));
  return folder;
}

/** The built service as its users run it: another process, with exactly these variables. */
export class ServiceProcess {
  output = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #heard = new EventEmitter();
  #isClosed = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    running.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: Buffer) => {
        this.output += String(text);
        this.#heard.emit('more');
      });
    }
    this.#closed = once(child, 'close').finally(() => {
      running.delete(child);
      this.#isClosed = true;
      this.#heard.emit('more');
    });
  }

  /**
   * Its audit log is empty and in a folder of its own, unless the variables name another.
   *
   * @param nodeArguments what Node runs instead of the service's `main.js`
   */
  static start(
    variables: Record<string, string>,
    nodeArguments: readonly string[] = [main],
    // Somewhere without a .env file.
    cwd: string = tmpdir(),
    node: string = process.execPath,
  ): ServiceProcess {
    if (!existsSync(main)) throw new Error('dist/main.js is missing: run "npm run build" first.');
    const ownLog = variables['AUDIT_DATA_DIR'] === undefined && variables['DATABASE_URL'] === undefined;
    const child = spawn(node, nodeArguments, {
      cwd,
      env: { PATH: process.env['PATH'] ?? '', ...(ownLog ? { AUDIT_DATA_DIR: newLog() } : {}), ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ServiceProcess(child);
  }

  /** Any other process whose output is to be waited for. */
  static watch(child: ChildProcess): ServiceProcess {
    return new ServiceProcess(child);
  }

  /** Waits until the output matches, and gives the match. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      if (this.#isClosed) throw new Error(`The service ended without ${pattern}:\n${this.output}`);
      await once(this.#heard, 'more');
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Exit code, or the signal that ended it. */
  async ended(): Promise<number | string | null> {
    await this.#closed;
    return this.#child.exitCode ?? this.#child.signalCode;
  }
}
