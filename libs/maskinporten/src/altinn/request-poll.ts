import { isMaskinportenError } from '../errors/index.js';
import { sleep } from '../token-endpoint/index.js';
import { isFinal, type RequestStatus } from './system-user-request.js';

/** Waits `ms` milliseconds; throws MP_ABORTED when the signal fires. */
export type Sleep = (ms: number, signal: AbortSignal | undefined) => Promise<void>;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * Milliseconds before poll number `index` (0 is the first after the immediate look): quick while somebody may be at the
 * screen, then every minute, then every hour, because the approver may be another person on another day.
 */
export function pollDelayMs(index: number): number {
  if (index < 12) return 5 * SECOND;
  return index < 42 ? MINUTE : 60 * MINUTE;
}

/**
 * Reads a request until its status is final. Altinn has no webhook, and the redirect back is for people only
 * (Altinn, requests). A passing fault is waited out; anything else ends it.
 *
 * @param readOnce undefined: the request is gone
 * @returns undefined when the request is gone: look whether the system user exists
 * @throws OperationAbortedError (`MP_ABORTED`) when the signal fires
 */
export async function pollRequest<T extends { readonly status: RequestStatus }>(
  readOnce: () => Promise<T | undefined>,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly sleep?: Sleep | undefined;
    readonly random?: () => number;
  },
): Promise<T | undefined> {
  const { signal, random = Math.random } = options;
  const wait: Sleep = options.sleep ?? (async (ms) => sleep(ms, signal, true));
  for (let index = 0; ; index += 1) {
    const request = await readOnce().catch((error: unknown) => {
      if (isMaskinportenError(error) && error.category === 'transient' && signal?.aborted !== true)
        return 'later' as const;
      throw error;
    });
    if (request === undefined) return undefined;
    if (request !== 'later' && isFinal(request.status)) return request;
    // Many replicas may wait for answers at the same time.
    await wait(pollDelayMs(index) * (0.9 + 0.2 * random()), signal);
  }
}
