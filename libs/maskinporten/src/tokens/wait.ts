import { createError, isMaskinportenError, withDetails, type MaskinportenError } from '../errors/index.js';

const abortedError = (): MaskinportenError =>
  createError('MP_ABORTED', {
    message: 'The caller stopped waiting for the token; the request goes on for the others.',
  });
const lateError = (): MaskinportenError =>
  createError('MP_TIMEOUT', { message: 'Maskinporten did not give a token within the deadline.' });

/**
 * Waits for a shared flight on behalf of one caller. The caller's signal, or its own deadline, ends its wait and nothing
 * else: the flight goes on for the others and its result is cached. An error is each caller's own copy.
 *
 * @param deadlineMs milliseconds; undefined when the flight has a deadline that is short enough
 * @throws OperationAbortedError (`MP_ABORTED`), or `MP_TIMEOUT` when the deadline passes.
 */
export async function wait<T>(
  flight: Promise<T>,
  signal: AbortSignal | undefined,
  deadlineMs: number | undefined,
): Promise<T> {
  try {
    return await (signal === undefined && deadlineMs === undefined ? flight : endable(flight, signal, deadlineMs));
  } catch (error) {
    throw isMaskinportenError(error) ? withDetails(error) : error;
  }
}

function endable<T>(flight: Promise<T>, signal: AbortSignal | undefined, deadlineMs: number | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const end = (error: MaskinportenError): void => {
      stop();
      reject(error);
    };
    const onAbort = (): void => end(abortedError());
    const timer = deadlineMs === undefined ? undefined : setTimeout(() => end(lateError()), deadlineMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    flight.then(resolve, reject).finally(stop);
  });
}

/** Checked before anything else is done for a caller that has already left. */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError();
}
