import { mkdir, open, readFile, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { EnvironmentError } from '../config/index.js';
import { errorCode } from './error-code.js';

/** Kept in memory, and gone when the process ends. */
export const IN_MEMORY = 'memory://';

const LOCK = 'in-use-by';

/** The folder of the embedded database. One process at a time may have it: two would destroy it. */
export class DataDirectory {
  readonly #lock: string;

  private constructor(readonly path: string) {
    this.#lock = join(path, LOCK);
  }

  /** @throws EnvironmentError when it cannot be written, or another process has it */
  static async take(path: string): Promise<DataDirectory> {
    const directory = new DataDirectory(path);
    try {
      await mkdir(path, { recursive: true, mode: 0o700 });
      await directory.#take();
    } catch (error) {
      if (error instanceof EnvironmentError) throw error;
      throw wrong('names a folder that cannot be written: mount a volume there, or set DATABASE_URL');
    }
    return directory;
  }

  get database(): string {
    return join(this.path, 'database');
  }

  async release(): Promise<void> {
    await rm(this.#lock, { force: true });
  }

  async #take(): Promise<void> {
    let file = await this.#create();
    if (file === undefined) {
      const owner = Number(await readFile(this.#lock, 'utf8').catch(() => ''));
      if (isAlive(owner)) throw wrong(`is in use by process ${owner}: give each its own folder, or set DATABASE_URL`);
      await rm(this.#lock, { force: true });
      file = await this.#create();
    }
    if (file === undefined) throw wrong('is in use by another process: give each its own folder, or set DATABASE_URL');
    await file.writeFile(String(process.pid));
    await file.close();
  }

  async #create(): Promise<FileHandle | undefined> {
    try {
      return await open(this.#lock, 'wx', 0o600);
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return undefined;
      throw error;
    }
  }
}

/** A process that was killed leaves its number behind, and in a container the next one has the same. */
function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

const wrong = (reason: string): EnvironmentError => new EnvironmentError([{ variable: 'AUDIT_DATA_DIR', reason }]);
