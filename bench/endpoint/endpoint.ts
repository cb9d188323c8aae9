import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { EndpointStats } from './server.js';

/** The address of one client's own token endpoint; what it is asked for is counted by `run`. */
export interface EndpointRun {
  readonly run: string;
  readonly tokenEndpoint: string;
  readonly issuer: string;
}

/** The token endpoint and the API behind it, in another process so that its work is not measured as the client's. */
export class Endpoint {
  readonly origin: string;
  readonly #process: ChildProcess;
  #runs = 0;

  private constructor(child: ChildProcess, port: number) {
    this.#process = child;
    this.origin = `http://127.0.0.1:${port}`;
  }

  static async start(): Promise<Endpoint> {
    const child = fork(new URL('server.js', import.meta.url), { execArgv: [] });
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    return new Endpoint(child, port);
  }

  /**
   * @param options.delayMs how long each token request takes at least, in milliseconds
   * @param options.lifeSeconds life of the tokens; the answer promises one second less, as Maskinporten's does
   */
  newRun(options: { readonly delayMs: number; readonly lifeSeconds: number }): EndpointRun {
    this.#runs += 1;
    const run = `run-${this.#runs}`;
    const path = `${this.origin}/${run}/${options.delayMs}/${options.lifeSeconds}`;
    return { run, tokenEndpoint: `${path}/token`, issuer: `${path}/` };
  }

  async statsOf({ run }: EndpointRun): Promise<EndpointStats> {
    const answered = once(this.#process, 'message') as Promise<[{ run: string; stats: EndpointStats }]>;
    this.#process.send(run);
    const [{ stats }] = await answered;
    return stats;
  }

  stop(): void {
    this.#process.disconnect();
  }
}

/** When a token of this endpoint ends, in milliseconds since 1970. */
export function endOfToken(token: string): number {
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp: number };
  return exp * 1_000;
}
