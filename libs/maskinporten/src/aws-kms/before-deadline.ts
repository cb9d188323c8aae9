/** What the SDK calls it when a request takes too long. */
class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * Runs `task` with a signal that ends everything it does, retries and the search for credentials included, and waits no
 * longer than the deadline even for a task that does not look at its signal.
 *
 * @throws an error named `TimeoutError` at the deadline; the reason of `signal` when that fires; what the task throws.
 */
export async function beforeDeadline<T>(
  timeoutMs: number,
  signal: AbortSignal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const stop = (error: Error): void => {
      end(() => reject(error));
      controller.abort(error);
    };
    const onAbort = (): void => stop(signal.reason as Error);
    const timer = setTimeout(() => stop(new TimeoutError('deadline')), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    task(controller.signal).then(
      (value) => end(() => resolve(value)),
      (error: unknown) => end(() => reject(error)),
    );
  });
}
