import { onAbort } from '../basics/index.js';
import { createError, isMaskinportenError, withDetails, type MaskinportenError } from '../errors/index.js';
import type { Demand } from '../token-endpoint/index.js';
import type { Flight } from './token-flights.js';
import type { MaskinportenToken } from './maskinporten-token.js';

const abortedError = (): MaskinportenError =>
  createError('MP_ABORTED', {
    message: 'The caller stopped waiting for the token. The request continues for the others.',
  });

/** F-139: nobody should look for the fault at Maskinporten. */
const queuedError = (maxConnections: number): MaskinportenError =>
  createError('MP_TIMEOUT', {
    message:
      'The caller stopped waiting before a connection was free for its token. ' +
      `It waited in this process, not for Maskinporten: all ${maxConnections} connections of the client were in use (http.maxConnections).`,
    field: 'http.maxConnections',
    actBy: 'you',
    hint: {
      en: 'Raise http.maxConnections, give the call more time, or mark work that can wait as batch.',
      nb: 'Øk http.maxConnections, gi kallet mer tid, eller merk arbeid som kan vente, som batch.',
    },
  });

const lateError = (): MaskinportenError =>
  createError('MP_TIMEOUT', { message: 'Maskinporten did not give a token within the deadline.' });

/**
 * Waits for a shared flight on behalf of one caller, who has joined it. The caller's signal, or its own deadline, ends its
 * wait; a flight that nobody waits for any more ends when it has no connection yet, and finishes otherwise. An error is
 * each caller's own copy.
 *
 * @param deadlineMs milliseconds of work, not of waiting for a turn; undefined when the flight has a deadline that is short
 *   enough
 * @throws OperationAbortedError (`MP_ABORTED`) when the signal fires; `MP_TIMEOUT` when it fires before a connection was
 *   free, or when the deadline passes.
 */
export async function wait(
  { token, demand }: Flight,
  signal: AbortSignal | undefined,
  deadlineMs: number | undefined,
): Promise<MaskinportenToken> {
  try {
    return await (signal === undefined && deadlineMs === undefined
      ? token
      : endable(token, demand, signal, deadlineMs));
  } catch (error) {
    throw isMaskinportenError(error) ? withDetails(error) : error;
  }
}

function endable<T>(
  token: Promise<T>,
  demand: Demand,
  signal: AbortSignal | undefined,
  deadlineMs: number | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const before = demand.workedMs;
    let timer: NodeJS.Timeout | undefined;
    const leave = (error: MaskinportenError): void => {
      stop();
      reject(error);
      demand.leave();
    };
    const release =
      signal &&
      onAbort(signal, () => {
        const { waitsForOneOf } = demand;
        leave(waitsForOneOf === undefined ? abortedError() : queuedError(waitsForOneOf));
      });
    const stop = (): void => {
      clearTimeout(timer);
      release?.();
    };
    const look = (): void => {
      const leftMs = Number(deadlineMs) - (demand.workedMs - before);
      if (leftMs < 1) leave(lateError());
      else timer = setTimeout(look, leftMs);
    };
    if (deadlineMs !== undefined) look();
    token.then(resolve, reject).finally(stop);
  });
}

/** Checked before anything else is done for a caller that has already left. */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError();
}
