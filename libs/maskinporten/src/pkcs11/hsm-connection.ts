import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SigningAlgorithm } from '../key-files/index.js';
import { systemEnvironment } from './system-environment.js';
import { type HsmAddress, type HsmCommand, type HsmFacts, type HsmReply, HsmRefusal } from './hsm-protocol.js';

/** The token did not answer: `hung` says nothing for too long, `lost` says that sessions or device are gone. */
export class HsmFault extends Error {
  readonly kind: 'hung' | 'lost';
  readonly code: string;

  constructor(kind: 'hung' | 'lost', code: string) {
    super(kind);
    this.kind = kind;
    this.code = code;
  }
}

interface Pending {
  readonly timer: NodeJS.Timeout;
  resolve(signature: Uint8Array): void;
  reject(error: Error): void;
}

/** One process with an open token. It lives until the first fault; then another one is opened. */
export class HsmConnection {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #onFault: ((fault: HsmFault) => void) | undefined;
  #fault: HsmFault | undefined;
  #lastId = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (reply: HsmReply) => this.#hear(reply));
    child.on('error', () => this.#end(new HsmFault('lost', 'PROCESS_ERROR')));
    child.on('exit', () => this.#end(new HsmFault('lost', 'PROCESS_ENDED')));
  }

  /**
   * @throws HsmRefusal when the token cannot be opened.
   * @throws HsmFault when it does not answer within `timeoutMs`, or its library takes the process down.
   */
  static async open(
    worker: URL,
    address: HsmAddress,
    options: { readonly pin: string | undefined; readonly timeoutMs: number },
  ): Promise<{ connection: HsmConnection; facts: HsmFacts }> {
    // What libraries print is their own, and may be anything: it goes nowhere.
    const child = fork(fileURLToPath(worker), [], {
      serialization: 'advanced',
      execArgv: [],
      stdio: SILENT,
      env: systemEnvironment(),
    });
    const connection = new HsmConnection(child);
    try {
      const { pin, timeoutMs } = options;
      const facts = await connection.#open({ type: 'open', address, pin }, timeoutMs);
      // A token that nobody uses does not keep a process alive; a signature that somebody waits for has a timer.
      child.unref();
      child.channel?.unref();
      return { connection, facts };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Told once, also when nobody waits for a signature; not when the connection is closed. */
  onFault(listener: (fault: HsmFault) => void): void {
    this.#onFault = listener;
    if (this.#fault !== undefined) listener(this.#fault);
  }

  get alive(): boolean {
    return this.#fault === undefined;
  }

  /**
   * Signs `data`. After `signal` nobody waits any more, but the token is still expected to answer in time.
   *
   * @throws HsmFault
   */
  sign(
    data: Uint8Array,
    options: { readonly alg: SigningAlgorithm; readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<Uint8Array> {
    const { alg, signal, timeoutMs } = options;
    return new Promise((resolve, reject) => {
      if (this.#fault !== undefined) {
        reject(this.#fault);
        return;
      }
      const id = (this.#lastId += 1);
      const timer = setTimeout(() => this.#end(new HsmFault('hung', 'TIMEOUT')), timeoutMs);
      const onAbort = (): void => {
        timer.unref();
        reject(new HsmFault('lost', 'ABORTED'));
      };
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(id, {
        timer,
        resolve: (signature) => {
          finish();
          resolve(signature);
        },
        reject: (error) => {
          finish();
          reject(error);
        },
      });
      this.#send({ type: 'sign', id, alg, data });
    });
  }

  /** Ends the process at once, also one whose library hangs. */
  close(): void {
    this.#onFault = undefined;
    this.#end(new HsmFault('lost', 'CLOSED'));
  }

  #open(command: HsmCommand, timeoutMs: number): Promise<HsmFacts> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(new HsmFault('hung', 'TIMEOUT'))), timeoutMs);
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        this.#child.off('message', onReply);
        this.#child.off('exit', onExit);
        this.#child.off('error', onExit);
        then();
      };
      const onExit = (): void => settle(() => reject(new HsmFault('lost', 'PROCESS_ENDED')));
      const onReply = (reply: HsmReply): void => {
        if (reply.type === 'opened') settle(() => resolve(reply.facts));
        if (reply.type === 'refused') settle(() => reject(new HsmRefusal(reply.refusal, reply.code)));
      };
      this.#child.on('message', onReply);
      this.#child.on('exit', onExit);
      this.#child.on('error', onExit);
      this.#send(command);
    });
  }

  #hear(reply: HsmReply): void {
    if (reply.type !== 'signed' && reply.type !== 'failed') return;
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.type === 'signed') pending?.resolve(reply.signature);
    else pending?.reject(new HsmFault('lost', reply.code));
  }

  #send(command: HsmCommand): void {
    // A process that has just ended tells so by its exit.
    if (this.#child.connected) this.#child.send(command, () => {});
  }

  #end(fault: HsmFault): void {
    if (this.#fault !== undefined) return;
    this.#fault = fault;
    for (const pending of this.#pending.values()) pending.reject(fault);
    this.#pending.clear();
    this.#child.kill('SIGKILL');
    this.#onFault?.(fault);
  }
}

const SILENT = ['ignore', 'ignore', 'ignore', 'ipc'] as const satisfies string[];
