import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Signals that end a process which does not listen to them. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * A folder for the owner alone, in the temporary folder of the system. It is removed when the process ends by a signal or
 * by `process.exit` too, because what is in it may be about people.
 *
 * @example
 * const folder = await TemporaryFolder.make('copy-');
 * await folder.remove();
 */
export class TemporaryFolder {
  readonly path: string;
  readonly #atExit = (): void => rmSync(this.path, { recursive: true, force: true });
  readonly #atSignal = (signal: NodeJS.Signals): void => {
    this.#atExit();
    this.#forget();
    // Others who listen decide what happens; without them it is what would have happened without us.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };

  private constructor(path: string) {
    this.path = path;
    process.on('exit', this.#atExit);
    for (const signal of ENDING) process.on(signal, this.#atSignal);
  }

  static async make(prefix: string): Promise<TemporaryFolder> {
    return new TemporaryFolder(await mkdtemp(join(tmpdir(), prefix)));
  }

  async remove(): Promise<void> {
    this.#forget();
    await rm(this.path, { recursive: true, force: true });
  }

  #forget(): void {
    process.off('exit', this.#atExit);
    for (const signal of ENDING) process.off(signal, this.#atSignal);
  }
}
