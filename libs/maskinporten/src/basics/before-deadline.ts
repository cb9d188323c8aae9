import { onAbort } from './on-abort.js';

export interface Deadline {
  /** Milliseconds that the task may take. */
  readonly ms: number;
  /** The caller's own. */
  readonly signal?: AbortSignal | undefined;
  /** Makes the error at the deadline. */
  readonly late: () => Error;
  /** Makes the error when `signal` fires. Default: the reason of the signal. */
  readonly aborted?: () => Error;
}

/**
 * Runs `task` with a signal that ends everything it does, and waits no longer than the deadline or the caller even for a
 * task that does not look at its signal. A caller that has left already gets its error, and the task is not begun.
 *
 * @throws what `late` or `aborted` makes; what the task throws
 * @example await beforeDeadline((signal) => ask(signal), { ms: 2_000, late: () => new Error('too late') });
 */
export async function beforeDeadline<T>(task: (signal: AbortSignal) => Promise<T>, deadline: Deadline): Promise<T> {
  const { ms, signal: caller, late, aborted = () => caller?.reason as Error } = deadline;
  if (caller?.aborted === true) throw aborted();
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const stop = (error: Error): void => {
      release();
      reject(error);
      controller.abort(error);
    };
    const timer = setTimeout(() => stop(late()), ms);
    const letGo = caller && onAbort(caller, () => stop(aborted()));
    const release = (): void => {
      clearTimeout(timer);
      letGo?.();
    };
    task(controller.signal).then(resolve, reject).finally(release);
  });
}
