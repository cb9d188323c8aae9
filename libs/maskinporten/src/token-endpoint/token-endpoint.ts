import { createError, isMaskinportenError, withDetails, type MaskinportenError } from '../errors/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';
import { isStaleSocket, type Issuer, type ServerClock } from '../issuer/index.js';
import type { KeyRing, SigningKey } from '../keys/index.js';
import { attempt, type AttemptDependencies, type AttemptResult } from './attempt.js';
import { Circuit } from './circuit.js';
import type { EndpointEvent, RequestKind } from './endpoint-event.js';
import {
  backoffMs,
  BACKGROUND_BUDGET,
  fits,
  FOREGROUND_BUDGET,
  isTransient,
  type RetryBudget,
} from './retry-policy.js';
import { RetryQuota } from './retry-quota.js';
import { sleep } from './sleep.js';

export interface TokenEndpointOptions extends AttemptDependencies {
  readonly clientId: string;
  readonly keys: KeyRing;
  readonly random: () => number;
  /** Overrides of the foreground budget. */
  readonly retry?: Partial<RetryBudget> | undefined;
  readonly onEvent: (event: EndpointEvent) => void;
}

/** A token with the story of how it was obtained. */
export interface ObtainedToken extends AttemptResult {
  /** `SigningKey.identity` of the key that signed the grant. */
  readonly keyIdentity: string;
  readonly attempts: number;
  readonly elapsedMs: number;
}

/** What one operation has already used of the retries that are allowed once. */
interface Progress {
  attempts: number;
  failures: number;
  quotaTaken: number;
  staleSocketRetried: boolean;
  replayRetried: boolean;
  clockRetried: boolean;
}

/**
 * Gets tokens from Maskinporten: at most three attempts within a deadline, each with a grant of its own. What may be
 * tried again and what not is the fault matrix of the failure reference (§4, §5).
 */
export class TokenEndpoint {
  readonly #options: TokenEndpointOptions;
  readonly #quota: RetryQuota;
  readonly #circuits: Readonly<Record<RequestKind, Circuit>>;
  readonly #foreground: RetryBudget;

  constructor(options: TokenEndpointOptions) {
    this.#options = options;
    const monotonicMs = (): number => options.clock.monotonicMs();
    this.#quota = new RetryQuota(monotonicMs);
    this.#foreground = { ...FOREGROUND_BUDGET, ...options.retry };
    const circuit = (kind: RequestKind): Circuit =>
      new Circuit({
        monotonicMs,
        random: options.random,
        onChange: (state, retryAfterMs) =>
          options.onEvent({ type: 'circuit', kind, state, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }),
      });
    this.#circuits = { plain: circuit('plain'), 'system-user': circuit('system-user') };
  }

  /** Milliseconds a foreground operation may take. */
  get deadlineMs(): number {
    return this.#foreground.deadlineMs;
  }

  get issuer(): Issuer {
    return this.#options.issuer;
  }

  get serverClock(): ServerClock {
    return this.#options.serverClock;
  }

  circuitState(kind: RequestKind): Circuit['state'] {
    return this.#circuits[kind].state;
  }

  /**
   * @param options.background longer deadlines, for when a usable token is still there
   * @param options.signal ends the operation early, as when the service is closed
   * @throws MaskinportenError with `attempts` and `elapsedMs`; nothing else.
   */
  async fetchToken(
    request: NormalisedTokenRequest,
    options: { readonly background: boolean; readonly signal?: AbortSignal },
  ): Promise<ObtainedToken> {
    const circuit = this.#circuits[request.kind];
    circuit.enter();
    const budget = options.background ? BACKGROUND_BUDGET : this.#foreground;
    const startedMs = this.#options.clock.monotonicMs();
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), budget.deadlineMs);
    const stop = (): void => deadline.abort();
    options.signal?.addEventListener('abort', stop, { once: true });
    const progress: Progress = {
      attempts: 0,
      failures: 0,
      quotaTaken: 0,
      staleSocketRetried: false,
      replayRetried: false,
      clockRetried: false,
    };
    try {
      const obtained = await this.#attemptUntilDone(request, budget, startedMs, deadline.signal, progress);
      this.#quota.succeeded(progress.quotaTaken);
      circuit.succeeded();
      return obtained;
    } catch (error) {
      const failure = this.#finalError(error, request, startedMs, progress, deadline.signal);
      settle(circuit, failure);
      throw failure;
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', stop);
    }
  }

  async #attemptUntilDone(
    request: NormalisedTokenRequest,
    budget: RetryBudget,
    startedMs: number,
    signal: AbortSignal,
    progress: Progress,
  ): Promise<ObtainedToken> {
    const elapsedMs = (): number => this.#options.clock.monotonicMs() - startedMs;
    for (;;) {
      const key = this.#options.keys.current;
      progress.attempts += 1;
      const offsetBeforeMs = this.#options.serverClock.measuredOffsetMs;
      try {
        const timeoutMs = Math.min(budget.attemptTimeoutMs, Math.max(budget.deadlineMs - elapsedMs(), 1));
        const result = await attempt(this.#options, request, key, timeoutMs, signal);
        return { ...result, keyIdentity: key.identity, attempts: progress.attempts, elapsedMs: elapsedMs() };
      } catch (error) {
        if (!isMaskinportenError(error) || signal.aborted) throw error;
        const delayMs = this.#delayBeforeRetry(error, key, budget, budget.deadlineMs - elapsedMs(), progress);
        this.#reportFailure(error, request, progress, delayMs !== undefined);
        if (delayMs === undefined) throw error;
        if (delayMs > 0) await sleep(delayMs, signal);
      } finally {
        this.#reportClock(offsetBeforeMs);
      }
    }
  }

  /** @returns milliseconds to wait before the next attempt, or undefined when there must be none. */
  #delayBeforeRetry(
    error: MaskinportenError,
    key: SigningKey,
    budget: RetryBudget,
    remainingMs: number,
    progress: Progress,
  ): number | undefined {
    if (!fits(0, remainingMs)) return undefined;
    if (isStaleSocket(error) && !progress.staleSocketRetried) {
      // F-05: the server had closed an idle connection; nothing was tried yet, so the attempt is not counted.
      progress.staleSocketRetried = true;
      progress.attempts -= 1;
      return 0;
    }
    if (error.code === 'MP_REPLAY' && !progress.replayRetried) {
      progress.replayRetried = true;
      return 0;
    }
    if (error.code === 'MP_CLOCK' && !progress.clockRetried && this.#clockIsCorrected()) {
      progress.clockRetried = true;
      return 0;
    }
    if (this.#switchedKey(error, key)) return 0;
    if (!isTransient(error)) return undefined;
    progress.failures += 1;
    if (progress.failures >= budget.attempts) return undefined;
    const delayMs = backoffMs(progress.failures, error, this.#options.random);
    if (!fits(delayMs, remainingMs)) return undefined;
    const taken = this.#quota.take(error.code === 'MP_TIMEOUT');
    if (taken === undefined) return undefined;
    progress.quotaTaken += taken;
    return delayMs;
  }

  /** Between two seconds (noise) and five minutes (something is badly wrong) the next grant is signed with server time. */
  #clockIsCorrected(): boolean {
    const { state } = this.#options.serverClock;
    return state === 'corrected' || state === 'degraded';
  }

  /** A refused key falls back to the previous one, once (architecture, decision 9). */
  #switchedKey(error: MaskinportenError, key: SigningKey): boolean {
    if (error.code !== 'MP_SIGNATURE' && error.code !== 'MP_KEY_EXPIRED') return false;
    const previous = this.#options.keys.useFallback(key);
    if (previous === undefined) return false;
    this.#options.onEvent({
      type: 'key-fallback',
      ...(key.kid === undefined ? {} : { fromKid: key.kid }),
      ...(previous.kid === undefined ? {} : { toKid: previous.kid }),
      error,
    });
    return true;
  }

  #finalError(
    error: unknown,
    request: NormalisedTokenRequest,
    startedMs: number,
    progress: Progress,
    signal: AbortSignal,
  ): MaskinportenError {
    const facts = {
      attempts: progress.attempts,
      elapsedMs: Math.round(this.#options.clock.monotonicMs() - startedMs),
      clientId: this.#options.clientId,
      kid: this.#options.keys.current.kid,
      scopes: request.scopes,
    };
    if (signal.aborted && (!isMaskinportenError(error) || error.code === 'MP_ABORTED')) {
      return createError('MP_TIMEOUT', { message: 'Maskinporten did not give a token within the deadline.', ...facts });
    }
    if (isMaskinportenError(error)) return withDetails(error, facts);
    return createError('MP_PROTOCOL', { message: 'The token request failed in an unexpected way.', ...facts });
  }

  #reportFailure(
    error: MaskinportenError,
    request: NormalisedTokenRequest,
    progress: Progress,
    willRetry: boolean,
  ): void {
    const { kind, scopes } = request;
    this.#options.onEvent({ type: 'attempt-failed', kind, scopes, error, attempt: progress.attempts, willRetry });
  }

  #reportClock(offsetBeforeMs: number): void {
    const { measuredOffsetMs: offsetMs } = this.#options.serverClock;
    // `Date` has a resolution of one second: smaller changes say nothing.
    if (Math.abs(offsetMs - offsetBeforeMs) >= 1_000) this.#options.onEvent({ type: 'clock-offset', offsetMs });
  }
}

/** What a failed operation says about the service: its own faults open the circuit, an OAuth answer proves it alive. */
function settle(circuit: Circuit, error: MaskinportenError): void {
  if (isTransient(error)) circuit.failed(error, error.retryAfterMs);
  else if (error.oauthError === undefined) circuit.released();
  else circuit.succeeded();
}
