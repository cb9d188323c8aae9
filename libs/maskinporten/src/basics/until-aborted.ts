import { onAbort, type AbortSource } from './on-abort.js';

/**
 * Waits for `promise` until `signal` fires. The work behind it is not stopped: others may wait for it.
 *
 * @param reason makes the error of the one who stopped waiting
 * @example await untilAborted(shared, signal, () => createError('MP_ABORTED', { message: 'The caller stopped waiting.' }));
 */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSource | undefined, reason: () => Error): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(reason());
    if (signal.aborted) stop();
    const release = onAbort(signal, stop);
    promise.then(resolve, reject).finally(release);
  });
}
