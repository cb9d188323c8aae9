import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { CliIo } from './cli-io.js';
import { UsageError } from './exit.js';

/** The process the command was started as. */
export function processIo(): CliIo {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    isTerminal: process.stdout.isTTY,
    // A terminal that does not know its width says 0.
    columns: process.stdout.columns || 80,
    now: Date.now,
    runNode,
    ...(process.stdin.isTTY && process.stderr.isTTY ? { askSecret } : {}),
    ...(process.stdin.isTTY ? {} : { readInput: async () => text(process.stdin) }),
  };
}

/** readline echoes what is typed to its output, so it gets one that swallows everything. */
async function askSecret(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  const aborter = new AbortController();
  // Ctrl-C and Ctrl-D; without this the question would never end.
  const giveUp = (): void => aborter.abort();
  reader.once('SIGINT', giveUp).once('close', giveUp);
  try {
    return await reader.question('', { signal: aborter.signal });
  } catch {
    throw new UsageError({ en: 'No passphrase was given.', nb: 'Passordet ble ikke oppgitt.' });
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
}

/** It gets the signals that would end this process, which waits for it and leaves nothing running. */
async function runNode(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals): void => {
    // Ctrl-C in a terminal has reached the child already, and a second one would end it before it has cleaned up.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, pass);
  const [code] = (await once(child, 'exit')) as [number | null];
  for (const signal of signals) process.off(signal, pass);
  return code ?? 1;
}
