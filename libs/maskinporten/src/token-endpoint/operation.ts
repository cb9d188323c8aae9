// Longer than 250 lines: whether there is another attempt is one decision with one memory.
import { isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';
import { isStaleSocket } from '../http/index.js';
import { isSignerUnavailable, type KeyRing, type SigningKey } from '../keys/index.js';
import { attempt, type AttemptDependencies, type AttemptResult } from './attempt.js';
import type { Pass } from './circuit-breaker.js';
import type { ConnectionQueue, Seeker, Wait } from './connection-queue.js';
import type { Demand, Service } from './demand.js';
import type { EndpointEvent } from './endpoint-event.js';
import { backoffMs, fits, isTransient, type AttemptLimits } from './retry-policy.js';
import type { RetryBudget } from './retry-budget.js';
import { sleep } from './sleep.js';
import { WorkTime } from './work-time.js';

/** A token with the story of how it was obtained. */
export interface ObtainedToken extends AttemptResult {
  /** `SigningKey.identity` of the key that signed the grant. */
  readonly keyIdentity: string;
  readonly attempts: number;
  readonly elapsedMs: number;
}

/** What all operations of one client share. */
export interface OperationDependencies extends AttemptDependencies {
  readonly keys: KeyRing;
  /** Keys that Maskinporten has accepted. */
  readonly provenKeys: WeakSet<SigningKey>;
  readonly quota: RetryBudget;
  readonly connections: ConnectionQueue;
  /** For when somebody waits for the token. */
  readonly foreground: AttemptLimits;
  /** For when a usable token is still there. */
  readonly background: AttemptLimits;
  readonly random: () => number;
  readonly onEvent: (event: EndpointEvent) => void;
}

const KEY_REFUSED: ReadonlySet<string> = new Set(['MP_SIGNATURE', 'MP_KEY_EXPIRED']);
/** What a key that is not registered (any more) can be answered with. */
const STAND_IN_REFUSED: ReadonlySet<string> = new Set([...KEY_REFUSED, 'MP_CLIENT_UNKNOWN', 'MP_CERTIFICATE']);

/**
 * The attempts for one token. Whether there is another one after a failure is the table of
 * docs/reference/faults.md: transient faults by quota and backoff, a used grant and a corrected clock once each, a refused key by the
 * next key. All but the last count against the limits. Each attempt waits for a connection of its own, which costs the
 * operation nothing (F-139).
 */
export class Operation implements Seeker, Service {
  readonly demand: Demand;
  pass: Pass | undefined;
  readonly #dependencies: OperationDependencies;
  readonly #request: NormalisedTokenRequest;
  readonly #limits: AttemptLimits;
  readonly #time: WorkTime;
  /** Made with the first connection: those who wait for it have none. */
  #end: AbortController | undefined;
  readonly #keepsAlive: boolean;
  #wait: Wait | undefined;
  #connected = false;
  #endedInQueue = false;
  #attempts = 0;
  #failures = 0;
  #quotaTaken = 0;
  #staleSocketRetried = false;
  #replayRetried = false;
  #clockRetried = false;
  #jti: string | undefined;
  /** The key that the last attempt was signed with. */
  #key: SigningKey;
  /** The ring's key at that time: the same one, unless another stood in or was tried. */
  #ringKey: SigningKey;
  /**
   * Another key, tried once: for a client that Maskinporten does not know with a key it has never seen (F-50), or as a
   * stand-in for a key whose HSM or KMS is away.
   */
  #trial:
    | {
        readonly key: SigningKey;
        readonly insteadOf: SigningKey;
        readonly error: MaskinportenError;
        readonly standIn: boolean;
      }
    | undefined;
  #standInRefused = false;

  constructor(dependencies: OperationDependencies, request: NormalisedTokenRequest, demand: Demand) {
    this.#dependencies = dependencies;
    this.#request = request;
    this.demand = demand;
    this.#keepsAlive = !demand.background;
    this.#limits = demand.background ? dependencies.background : dependencies.foreground;
    this.#time = new WorkTime(this.#limits.deadlineMs, {
      monotonicMs: () => dependencies.clock.monotonicMs(),
      keepsAlive: this.#keepsAlive,
      onEnd: () => this.#end?.abort(),
    });
    this.#ringKey = dependencies.keys.current;
    this.#key = this.#ringKey;
    demand.servedBy(this);
  }

  get kind(): NormalisedTokenRequest['kind'] {
    return this.#request.kind;
  }

  get attempts(): number {
    return this.#attempts;
  }

  /** Milliseconds in which it had a connection, or backed off. */
  get elapsedMs(): number {
    return Math.round(this.#time.usedMs);
  }

  /** The time for it ran out. */
  get late(): boolean {
    return this.#end?.signal.aborted === true && !this.demand.stopped;
  }

  /** It ended while it waited for a connection, which says nothing about the service. */
  get endedInQueue(): boolean {
    return this.#endedInQueue;
  }

  get waitsForOneOf(): number | undefined {
    return this.#wait === undefined ? undefined : this.#dependencies.connections.status.max;
  }

  get kid(): string | undefined {
    return this.#key.kid;
  }

  /** The ring's current key when the last attempt began. */
  get ringKey(): SigningKey {
    return this.#ringKey;
  }

  /** `jti` of the last grant that was signed. */
  get jti(): string | undefined {
    return this.#jti;
  }

  get workedMs(): number {
    return this.#time.timedMs;
  }

  demandChanged({ stopped }: Demand): void {
    if (this.#wait !== undefined) this.#dependencies.connections.reconsider(this.#wait);
    else if (stopped) this.#end?.abort();
  }

  /**
   * `leave` has to follow, when the circuit knows the outcome: the next in the queue must not get the connection before.
   *
   * @throws MaskinportenError of the last attempt, or what ended the wait for a connection.
   */
  async run(): Promise<ObtainedToken> {
    for (;;) {
      await this.#turn();
      this.#time.run();
      this.#end ??= new AbortController();
      const { signal } = this.#end;
      if (this.demand.stopped) this.#end.abort();
      try {
        return await this.#attempt(signal);
      } catch (caught) {
        if (!isMaskinportenError(caught) || signal.aborted) throw caught;
        const delayMs = this.#failed(this.#withoutRefusedStandIn(caught));
        this.#giveBack();
        if (delayMs > 0) await sleep(delayMs, signal, this.#keepsAlive);
      }
    }
  }

  /** The operation is over. */
  leave(): void {
    this.#time.pause();
    this.#giveBack();
  }

  #giveBack(): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#dependencies.connections.leave();
  }

  async #turn(): Promise<void> {
    try {
      this.#wait = this.#dependencies.connections.enter(this);
      if (this.#wait !== undefined) {
        this.#time.pause();
        await this.#wait.turn;
      }
      this.#connected = true;
    } catch (error) {
      this.#endedInQueue = true;
      throw error;
    } finally {
      this.#wait = undefined;
    }
  }

  async #attempt(signal: AbortSignal): Promise<ObtainedToken> {
    this.#ringKey = this.#dependencies.keys.current;
    this.#key = this.#trial?.key ?? this.#ringKey;
    this.#attempts += 1;
    try {
      const result = await attempt(this.#dependencies, this.#request, this.#key, {
        timeoutMs: () => Math.min(this.#limits.attemptTimeoutMs, Math.max(this.#time.remainingMs, 1)),
        signal,
        time: this.#time,
        onGrant: this.#signed,
      });
      this.#accepted();
      return { ...result, keyIdentity: this.#key.identity, attempts: this.#attempts, elapsedMs: this.elapsedMs };
    } finally {
      this.#time.run();
    }
  }

  /**
   * @returns milliseconds to wait before the next attempt
   * @throws the error when there must be none
   */
  #failed(error: MaskinportenError): number {
    const { kind, scopes } = this.#request;
    const attempts = this.#attempts;
    const delayMs = this.#isToWait(error) ? 0 : this.#delayBeforeRetry(error);
    const willRetry = delayMs !== undefined;
    this.#dependencies.onEvent({ type: 'attempt-failed', kind, scopes, error, attempt: attempts, willRetry });
    if (delayMs === undefined) throw error;
    return delayMs;
  }

  /**
   * Holds the queue as long as the server asks for (F-140). Batch work waits it out there, and begins again: it has not
   * failed.
   */
  #isToWait(error: MaskinportenError): boolean {
    const { code, status, retryAfterMs = 0 } = error;
    const forAll = code === 'MP_THROTTLED';
    if (retryAfterMs <= 0 || !(forAll || status === 503)) return false;
    this.#dependencies.connections.hold(forAll ? 'all' : this.kind, retryAfterMs, error);
    if (this.demand.priority !== 'batch') return false;
    this.#failures = 0;
    this.#time.restart();
    return true;
  }

  readonly #signed = (jti: string): void => {
    this.#jti = jti;
  };

  #accepted(): void {
    const { provenKeys, quota, keys } = this.#dependencies;
    provenKeys.add(this.#key);
    quota.succeeded(this.#quotaTaken);
    if (this.#trial === undefined) return;
    const { key, insteadOf, error, standIn } = this.#trial;
    // A signer that was away has not been refused: its key signs again as soon as it is back.
    if (!standIn) keys.useFallback(insteadOf);
    this.#reportFallback(insteadOf, key, error);
  }

  /** @returns milliseconds to wait before the next attempt, or undefined when there must be none. */
  #delayBeforeRetry(error: MaskinportenError): number | undefined {
    const { remainingMs } = this.#time;
    if (!fits(0, remainingMs)) return undefined;
    if (isStaleSocket(error) && !this.#staleSocketRetried) {
      // F-05: the server had closed an idle connection; nothing was tried yet, so the attempt is not counted.
      this.#staleSocketRetried = true;
      this.#attempts -= 1;
      return 0;
    }
    if (this.#anotherKey(error)) return 0;
    this.#failures += 1;
    if (this.#failures >= this.#limits.attempts) return undefined;
    if (error.code === 'MP_REPLAY' && !this.#replayRetried) {
      this.#replayRetried = true;
      return 0;
    }
    if (error.code === 'MP_CLOCK' && !this.#clockRetried && this.#clockIsCorrected()) {
      this.#clockRetried = true;
      return 0;
    }
    return isTransient(error) ? this.#backoff(error, remainingMs) : undefined;
  }

  #backoff(error: MaskinportenError, remainingMs: number): number | undefined {
    const { quota, random } = this.#dependencies;
    const delayMs = backoffMs(this.#failures, error, random);
    if (!fits(delayMs, remainingMs)) return undefined;
    const taken = quota.take(error.code === 'MP_TIMEOUT');
    if (taken === undefined) return undefined;
    this.#quotaTaken += taken;
    return delayMs;
  }

  /** Between two seconds (noise) and five minutes (something is badly wrong) the next grant is signed with server time. */
  #clockIsCorrected(): boolean {
    const { state } = this.#dependencies.serverClock;
    return state === 'corrected' || state === 'degraded';
  }

  /** A refused key gives way to the next one, once (architecture, decision 9). */
  #anotherKey(error: MaskinportenError): boolean {
    const { keys, provenKeys } = this.#dependencies;
    if (this.#trial !== undefined || this.#standInRefused) return false;
    if (isSignerUnavailable(error)) {
      const key = keys.standInFor(this.#key);
      if (key === undefined) return false;
      this.#trial = { key, insteadOf: this.#key, error, standIn: true };
      return true;
    }
    if (error.code === 'MP_CLIENT_UNKNOWN') {
      // It need not be the key: the ring gives its key up only when another one is accepted.
      const [key] = keys.others;
      if (key === undefined || provenKeys.has(this.#key)) return false;
      this.#trial = { key, insteadOf: this.#key, error, standIn: false };
      return true;
    }
    if (!KEY_REFUSED.has(error.code)) return false;
    const next = keys.useFallback(this.#key);
    if (next === undefined) return false;
    this.#reportFallback(this.#key, next, error);
    return true;
  }

  /** A stand-in that Maskinporten does not take leaves things as they were: the right key is away for now. */
  #withoutRefusedStandIn(error: MaskinportenError): MaskinportenError {
    const trial = this.#trial;
    if (trial?.standIn !== true || !STAND_IN_REFUSED.has(error.code)) return error;
    this.#trial = undefined;
    this.#standInRefused = true;
    return trial.error;
  }

  #reportFallback(from: SigningKey, to: SigningKey, error: MaskinportenError): void {
    this.#dependencies.onEvent({
      type: 'key-fallback',
      ...(from.kid === undefined ? {} : { fromKid: from.kid }),
      ...(to.kid === undefined ? {} : { toKid: to.kid }),
      error,
    });
  }
}
