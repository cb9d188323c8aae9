import { createError, type MaskinportenError } from '../errors/index.js';

const abortedError = (): MaskinportenError =>
  createError('MP_ABORTED', {
    message: 'The caller stopped waiting for the token; the request goes on for the others.',
  });

/**
 * Waits for a shared flight on behalf of one caller. The caller's signal, or its own deadline, ends its wait and nothing
 * else: the flight goes on for the others and its result is cached.
 *
 * @param deadlineMs milliseconds; undefined when the flight has a deadline that is short enough
 * @throws OperationAbortedError (`MP_ABORTED`), or `MP_TIMEOUT` when the deadline passes.
 */
export async function wait<T>(
  flight: Promise<T>,
  signal: AbortSignal | undefined,
  deadlineMs: number | undefined,
): Promise<T> {
  if (signal === undefined && deadlineMs === undefined) return flight;
  if (signal?.aborted === true) throw abortedError();
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      onAbort = () => reject(abortedError());
      signal?.addEventListener('abort', onAbort, { once: true });
      if (deadlineMs !== undefined) {
        timer = setTimeout(
          () =>
            reject(createError('MP_TIMEOUT', { message: 'Maskinporten did not give a token within the deadline.' })),
          deadlineMs,
        );
      }
      flight.then(resolve, reject);
    });
  } finally {
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    clearTimeout(timer);
  }
}

/** Checked before anything else is done for a caller that has already left. */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError();
}
