import { setTimeout } from 'node:timers/promises';
import { createError } from '../errors/index.js';

/**
 * Waits `ms` milliseconds.
 *
 * @param keepsAlive whether the process has to stay up for it: not when nobody waits for the outcome
 * @throws OperationAbortedError (`MP_ABORTED`) as soon as `signal` fires.
 */
export async function sleep(ms: number, signal: AbortSignal | undefined, keepsAlive: boolean): Promise<void> {
  try {
    await setTimeout(ms, undefined, { signal, ref: keepsAlive });
  } catch {
    throw createError('MP_ABORTED', { message: 'The wait before the next attempt was given up.' });
  }
}
