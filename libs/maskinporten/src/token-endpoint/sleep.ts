import { createError } from '../errors/index.js';

/**
 * Waits `ms` milliseconds.
 *
 * @param keepsAlive whether the process has to stay up for it: not when nobody waits for the outcome
 * @throws OperationAbortedError (`MP_ABORTED`) as soon as `signal` fires.
 */
export async function sleep(ms: number, signal: AbortSignal, keepsAlive: boolean): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(createError('MP_ABORTED', { message: 'The wait before the next attempt was given up.' }));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    if (!keepsAlive) timer.unref();
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
