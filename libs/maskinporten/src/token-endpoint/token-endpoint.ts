import { createError, isMaskinportenError, withDetails, type MaskinportenError } from '../errors/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';
import type { Issuer, ServerClock } from '../issuer/index.js';
import type { KeyRing, SigningKey } from '../keys/index.js';
import type { AttemptDependencies } from './attempt.js';
import { CircuitBreaker, type Pass } from './circuit-breaker.js';
import type { EndpointEvent, RequestKind } from './endpoint-event.js';
import { ConnectionQueue, type ConnectionStatus } from './connection-queue.js';
import type { Demand } from './demand.js';
import { Operation, type ObtainedToken, type OperationDependencies } from './operation.js';
import { BACKGROUND_LIMITS, foregroundLimits, isTransient, type AttemptLimits } from './retry-policy.js';
import { withRefusedKey } from './refused-key.js';
import { RetryBudget } from './retry-budget.js';

export interface TokenEndpointOptions extends AttemptDependencies {
  readonly clientId: string;
  readonly keys: KeyRing;
  readonly random: () => number;
  /** Token requests in flight at most. */
  readonly maxConnections: number;
  /** Overrides of the foreground budget; `attempts` holds for the background too. */
  readonly retry?: Partial<AttemptLimits> | undefined;
  readonly onEvent: (event: EndpointEvent) => void;
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
  readonly #circuits: Readonly<Record<RequestKind, CircuitBreaker>>;
  readonly #connections: ConnectionQueue;
  #reportedOffsetMs = 0;

  constructor(options: TokenEndpointOptions) {
    this.#options = options;
    const monotonicMs = (): number => options.clock.monotonicMs();
    const circuit = (kind: RequestKind): CircuitBreaker =>
      new CircuitBreaker({
        monotonicMs,
        random: options.random,
        onChange: (state, retryAfterMs) => {
          options.onEvent({ type: 'circuit', kind, state, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
          this.#connections.circuitChanged(kind);
        },
      });
    this.#circuits = { plain: circuit('plain'), 'system-user': circuit('system-user') };
    const foreground = foregroundLimits(options.retry);
    this.#connections = new ConnectionQueue({
      max: options.maxConnections,
      circuits: this.#circuits,
      monotonicMs,
      deadlineMs: foreground.deadlineMs,
    });
    this.#dependencies = {
      ...options,
      provenKeys: new WeakSet<SigningKey>(),
      quota: new RetryBudget(monotonicMs),
      connections: this.#connections,
      foreground,
      background: { ...BACKGROUND_LIMITS, attempts: foreground.attempts },
    };
  }

  get issuer(): Issuer {
    return this.#options.issuer;
  }

  get serverClock(): ServerClock {
    return this.#options.serverClock;
  }

  circuitState(kind: RequestKind): CircuitBreaker['state'] {
    return this.#circuits[kind].state;
  }

  /** Milliseconds of work that somebody who waits grants to an operation. */
  get deadlineMs(): number {
    return this.#dependencies.foreground.deadlineMs;
  }

  get connections(): ConnectionStatus {
    return this.#connections.status;
  }

  /** Nobody waits for a connection any more; requests that have one finish. */
  close(): void {
    this.#connections.close();
  }

  /**
   * @param demand how urgent it is; it may change while the token is fetched
   * @throws MaskinportenError with `attempts` and `elapsedMs`; nothing else.
   */
  async fetchToken(request: NormalisedTokenRequest, demand: Demand): Promise<ObtainedToken> {
    const circuit = this.#circuits[request.kind];
    const operation = new Operation(this.#dependencies, request, demand);
    try {
      const obtained = await operation.run();
      if (operation.pass !== undefined) circuit.succeeded(operation.pass);
      return obtained;
    } catch (error) {
      const failure = this.#finalError(error, request, operation);
      const { pass } = operation;
      if (pass !== undefined) {
        if (operation.endedInQueue) circuit.released(pass);
        else settle(circuit, pass, failure);
      }
      throw operation.attempts === 0 ? failure : withRefusedKey(failure, operation.ringKey);
    } finally {
      operation.leave();
      // A probe may have ended without a connection, and batch work waits for what it says.
      if (operation.pass?.probe === true) this.#connections.circuitChanged(request.kind);
      this.#reportClock();
    }
  }

  #finalError(error: unknown, request: NormalisedTokenRequest, operation: Operation): MaskinportenError {
    const { attempts, elapsedMs, kid, jti } = operation;
    const facts = { attempts, elapsedMs, clientId: this.#options.clientId, kid, jti, scopes: request.scopes };
    if (!isMaskinportenError(error)) {
      return createError('MP_PROTOCOL', { message: 'The token request failed in an unexpected way.', ...facts });
    }
    if (attempts === 0) return error;
    if (error.code === 'MP_ABORTED' && operation.late) {
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
function settle(circuit: CircuitBreaker, pass: Pass, error: MaskinportenError): void {
  if (isTransient(error)) circuit.failed(pass, error, error.retryAfterMs);
  else if (error.oauthError === undefined) circuit.released(pass);
  else circuit.succeeded(pass);
}
