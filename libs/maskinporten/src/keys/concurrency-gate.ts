import { createError } from '../errors/index.js';

interface Waiter {
  enter(): void;
}

export interface GateQueue {
  readonly maxWaiting: number;
  /** The error for one who comes when that many wait already. */
  readonly full: () => Error;
}

/**
 * Lets a fixed number of tasks run at a time, first come, first served. Signing uses libuv's thread pool, which DNS and
 * file calls share: 200 queued RSA-4096 signatures held up one lookup by 0.3–0.9 s.
 *
 * @example await signingGate.run(async () => key.sign(buildSigningInput()), { signal });
 */
export class ConcurrencyGate {
  readonly #slots: number;
  readonly #queue: GateQueue | undefined;
  readonly #waiting = new Set<Waiter>();
  #running = 0;

  /** @param queue bounds how many may wait; without it everybody waits. */
  constructor(slots = 2, queue?: GateQueue) {
    this.#slots = slots;
    this.#queue = queue;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Runs `task` when a slot is free. Do not call `run` of the same gate inside `task`: two such tasks never end.
   *
   * @throws OperationAbortedError (`MP_ABORTED`) when `signal` fires before the slot comes; `task` is then not run.
   * @throws what the queue says when it is full.
   */
  async run<T>(task: () => Promise<T>, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<T> {
    const { signal } = options;
    if (signal?.aborted === true) throw aborted();
    if (this.#running < this.#slots) this.#running += 1;
    else if (this.#queue !== undefined && this.#waiting.size >= this.#queue.maxWaiting) throw this.#queue.full();
    else await this.#slot(signal);
    try {
      return await task();
    } finally {
      this.#leave();
    }
  }

  #slot(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(waiter);
        reject(aborted());
      };
      const waiter: Waiter = {
        enter: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      this.#waiting.add(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Hands the slot to the one who has waited longest, so that nobody can slip in between. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(next);
    next.enter();
  }
}

function aborted(): Error {
  return createError('MP_ABORTED', { message: 'The caller stopped waiting before the grant was signed.' });
}

/** The gate of this process: at most two signatures at a time, whatever the number of clients. */
export const signingGate = new ConcurrencyGate(2);
