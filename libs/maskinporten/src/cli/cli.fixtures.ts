import type { CliIo } from './cli-io.js';
import { runCli } from './run-cli.js';
import type { Command } from './define-command.js';

export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The document that `--json` printed; throws when there is not exactly one. */
  readonly document: unknown;
}

export interface CliRunOptions extends Partial<
  Pick<CliIo, 'env' | 'cwd' | 'isTerminal' | 'columns' | 'askSecret' | 'readInput' | 'runNode' | 'wait'>
> {
  readonly nowMs?: number;
  readonly commands?: readonly Command[];
}

/** Runs the command in this process, with nothing of the process around it but its files. */
export async function runInProcess(args: readonly string[], options: CliRunOptions = {}): Promise<CliRun> {
  const { nowMs = Date.now(), commands, ...given } = options;
  const written = { stdout: '', stderr: '' };
  const io: CliIo = {
    env: {},
    cwd: process.cwd(),
    isTerminal: false,
    runNode: async () => Promise.reject(new Error('no other program was expected')),
    ...given,
    now: () => nowMs,
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
  };
  const exitCode = await runCli(args, io, commands);
  return {
    exitCode,
    ...written,
    get document(): unknown {
      return JSON.parse(written.stdout) as unknown;
    },
  };
}
