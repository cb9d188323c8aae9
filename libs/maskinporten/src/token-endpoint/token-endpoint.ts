import { createError, isMaskinportenError, withDetails, type MaskinportenError } from '../errors/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';
import type { Issuer, ServerClock } from '../issuer/index.js';
import type { KeyRing, SigningKey } from '../keys/index.js';
import type { AttemptDependencies } from './attempt.js';
import { Circuit, type Pass } from './circuit.js';
import type { EndpointEvent, RequestKind } from './endpoint-event.js';
import { Operation, type ObtainedToken, type OperationDependencies } from './operation.js';
import { BACKGROUND_BUDGET, foregroundBudget, isTransient, type RetryBudget } from './retry-policy.js';
import { withRefusedKey } from './refused-key.js';
import { RetryQuota } from './retry-quota.js';

export interface TokenEndpointOptions extends AttemptDependencies {
  readonly clientId: string;
  readonly keys: KeyRing;
  readonly random: () => number;
  /** Overrides of the foreground budget; `attempts` holds for the background too. */
  readonly retry?: Partial<RetryBudget> | undefined;
  readonly onEvent: (event: EndpointEvent) => void;
}

export interface FetchTokenOptions {
  /** Longer deadlines, for when a usable token is still there and nobody waits; does not keep the process alive. */
  readonly background: boolean;
  /** Ends the operation early, as when the service is closed. */
  readonly signal?: AbortSignal | undefined;
}

/** `Date` has a resolution of one second: smaller changes say nothing. */
const CLOCK_RESOLUTION_MS = 1_000;

/**
 * Gets tokens from Maskinporten: at most three attempts within a deadline, each with a grant of its own, bounded by a
 * retry quota for the client and a circuit for each kind of request.
 */
export class TokenEndpoint {
  readonly #options: TokenEndpointOptions;
  readonly #dependencies: OperationDependencies;
  readonly #circuits: Readonly<Record<RequestKind, Circuit>>;
  readonly #foreground: RetryBudget;
  readonly #background: RetryBudget;
  #reportedOffsetMs = 0;

  constructor(options: TokenEndpointOptions) {
    this.#options = options;
    const monotonicMs = (): number => options.clock.monotonicMs();
    this.#dependencies = {
      ...options,
      provenKeys: new WeakSet<SigningKey>(),
      quota: new RetryQuota(monotonicMs),
    };
    this.#foreground = foregroundBudget(options.retry);
    this.#background = { ...BACKGROUND_BUDGET, attempts: this.#foreground.attempts };
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

  /** @throws MaskinportenError with `attempts` and `elapsedMs`; nothing else. */
  async fetchToken(request: NormalisedTokenRequest, options: FetchTokenOptions): Promise<ObtainedToken> {
    const circuit = this.#circuits[request.kind];
    const pass = circuit.enter();
    const { background, signal } = options;
    const budget = background ? this.#background : this.#foreground;
    const operation = new Operation(this.#dependencies, request, budget, { keepsAlive: !background });
    const deadline = new AbortController();
    const stop = (): void => deadline.abort();
    const timer = setTimeout(stop, budget.deadlineMs);
    if (background) timer.unref();
    if (signal?.aborted === true) stop();
    else signal?.addEventListener('abort', stop, { once: true });
    try {
      const obtained = await operation.run(deadline.signal);
      circuit.succeeded(pass);
      return obtained;
    } catch (error) {
      const failure = this.#finalError(error, request, operation, {
        stopped: signal?.aborted === true,
        late: deadline.signal.aborted,
      });
      settle(circuit, pass, failure);
      throw withRefusedKey(failure, operation.ringKey);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      this.#reportClock();
    }
  }

  #finalError(
    error: unknown,
    request: NormalisedTokenRequest,
    operation: Operation,
    ended: { readonly stopped: boolean; readonly late: boolean },
  ): MaskinportenError {
    const facts = {
      attempts: operation.attempts,
      elapsedMs: operation.elapsedMs,
      clientId: this.#options.clientId,
      kid: operation.kid,
      jti: operation.jti,
      scopes: request.scopes,
    };
    if (!isMaskinportenError(error)) {
      return createError('MP_PROTOCOL', { message: 'The token request failed in an unexpected way.', ...facts });
    }
    if (error.code === 'MP_ABORTED' && ended.late && !ended.stopped) {
      return createError('MP_TIMEOUT', { message: 'Maskinporten did not give a token within the deadline.', ...facts });
    }
    return withDetails(error, facts);
  }

  #reportClock(): void {
    const { measuredOffsetMs: offsetMs } = this.#options.serverClock;
    if (Math.abs(offsetMs - this.#reportedOffsetMs) < CLOCK_RESOLUTION_MS) return;
    this.#reportedOffsetMs = offsetMs;
    this.#options.onEvent({ type: 'clock-offset', offsetMs });
  }
}

/** What a failed operation says about the service: its own faults open the circuit, an OAuth answer proves it alive. */
function settle(circuit: Circuit, pass: Pass, error: MaskinportenError): void {
  if (isTransient(error)) circuit.failed(pass, error, error.retryAfterMs);
  else if (error.oauthError === undefined) circuit.released(pass);
  else circuit.succeeded(pass);
}
