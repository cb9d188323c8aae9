import { createError } from '../errors/index.js';

/**
 * Waits `ms` milliseconds.
 *
 * @throws OperationAbortedError (`MP_ABORTED`) as soon as `signal` fires.
 */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(createError('MP_ABORTED', { message: 'The wait before the next attempt was given up.' }));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
