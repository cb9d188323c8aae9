import { once } from 'node:events';
import { fork, type ChildProcess } from 'node:child_process';

/** What an application under test needs to know; passed as its one argument. */
export interface AppSettings {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly apiOrigin: string;
  readonly clientId: string;
  readonly kid: string;
  readonly privateKeyPem: string;
  /** For the application without the module. */
  readonly staticToken: string;
}

export interface Listening {
  readonly port: number;
  readonly rssBytes: number;
}

export interface CpuAnswer {
  readonly cpuMs: number;
}

/** Starts one of the applications in a process of its own. */
export function startApp(
  name: 'with-module' | 'without-module',
  settings: AppSettings,
): { child: ChildProcess; listening: Promise<Listening> } {
  const child = fork(new URL(`${name}.js`, import.meta.url), [], {
    execArgv: [],
    env: { ...process.env, BENCH_SETTINGS: JSON.stringify(settings), NODE_ENV: 'production' },
  });
  return { child, listening: firstMessage(child) };
}

async function firstMessage(child: ChildProcess): Promise<Listening> {
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`The application ended with ${String(code)} before it listened.`);
  });
  const [message] = (await Promise.race([once(child, 'message'), failed])) as [Listening];
  return message;
}

/** Processor time, in milliseconds, that the process has used since its start. */
export async function cpuOfApp(child: ChildProcess): Promise<number> {
  const answered = once(child, 'message') as Promise<[CpuAnswer]>;
  child.send('cpu');
  const [{ cpuMs }] = await answered;
  return cpuMs;
}

export async function stopApp(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.disconnect();
  await ended;
}
