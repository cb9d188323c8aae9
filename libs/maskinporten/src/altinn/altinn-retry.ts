import { isMaskinportenError, withDetails, type MaskinportenError } from '../errors/index.js';
import { isAltinnError } from './altinn-error.js';
import { isStaleSocket } from '../http/index.js';
import type { Clock } from '../basics/index.js';
import { backoffMs, CircuitBreaker, fits, FOREGROUND_LIMITS, isTransient, sleep } from '../token-endpoint/index.js';

export interface AltinnRetryOptions {
  readonly clock: Clock;
  readonly random: () => number;
}

/** One try: `timeoutMs` is what it may take. */
export type Attempt<T> = (timeoutMs: number, signal: AbortSignal | undefined) => Promise<T>;

/**
 * Repeats a call to Altinn as the token endpoint does: three attempts within eight seconds, and a circuit that answers
 * at once while Altinn is known to be down (F-87). Every call that goes through here may be
 * repeated: Altinn's POSTs are questions, or idempotent by the key they name.
 */
export class AltinnRetry {
  readonly #options: AltinnRetryOptions;
  readonly #circuit: CircuitBreaker;

  constructor(options: AltinnRetryOptions) {
    this.#options = options;
    this.#circuit = new CircuitBreaker({
      monotonicMs: () => options.clock.monotonicMs(),
      random: options.random,
      onChange: () => undefined,
    });
  }

  /** @throws MaskinportenError with `attempts`; the last one when every attempt failed. */
  async run<T>(attempt: Attempt<T>, signal?: AbortSignal): Promise<T> {
    const pass = this.#circuit.enter();
    try {
      const result = await this.#attempts(attempt, signal);
      this.#circuit.succeeded(pass);
      return result;
    } catch (error) {
      this.#settle(pass, error);
      throw error;
    }
  }

  async #attempts<T>(attempt: Attempt<T>, signal: AbortSignal | undefined): Promise<T> {
    const { clock, random } = this.#options;
    const { attempts, attemptTimeoutMs, deadlineMs } = FOREGROUND_LIMITS;
    const startedMs = clock.monotonicMs();
    let staleSocketMet = false;
    for (let failures = 0; ;) {
      const remainingMs = deadlineMs - (clock.monotonicMs() - startedMs);
      try {
        return await attempt(Math.min(attemptTimeoutMs, Math.max(remainingMs, 1)), signal);
      } catch (error) {
        if (!isMaskinportenError(error) || !isOutage(error)) throw error;
        if (isStaleSocket(error) && !staleSocketMet) {
          staleSocketMet = true;
          continue;
        }
        failures += 1;
        const delayMs = backoffMs(failures, error, random);
        const leftMs = deadlineMs - (clock.monotonicMs() - startedMs);
        if (failures >= attempts || !fits(delayMs, leftMs)) throw withDetails(error, { attempts: failures });
        await sleep(delayMs, signal, true);
      }
    }
  }

  #settle(pass: ReturnType<CircuitBreaker['enter']>, error: unknown): void {
    if (!isMaskinportenError(error)) return this.#circuit.released(pass);
    if (isOutage(error)) return this.#circuit.failed(pass, error, error.retryAfterMs);
    return answered(error) ? this.#circuit.succeeded(pass) : this.#circuit.released(pass);
  }
}

/** A refusal that Altinn gives a reason for concerns one customer, and says nothing about the others (F-64). */
const isOutage = (error: MaskinportenError): boolean => isTransient(error) && !isAltinnError(error);

/** Altinn said something, so it is there, whatever it said. */
const answered = (error: MaskinportenError): boolean => error.status !== undefined && error.status < 500;
