import { isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';
import { isStaleSocket } from '../issuer/index.js';
import { isSignerUnavailable, type KeyRing, type SigningKey } from '../keys/index.js';
import { attempt, type AttemptDependencies, type AttemptResult } from './attempt.js';
import type { EndpointEvent } from './endpoint-event.js';
import { backoffMs, fits, isTransient, type RetryBudget } from './retry-policy.js';
import type { RetryQuota } from './retry-quota.js';
import { sleep } from './sleep.js';

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
  readonly quota: RetryQuota;
  readonly random: () => number;
  readonly onEvent: (event: EndpointEvent) => void;
}

const KEY_REFUSED: ReadonlySet<string> = new Set(['MP_SIGNATURE', 'MP_KEY_EXPIRED']);
/** What a key that is not registered (any more) can be answered with. */
const STAND_IN_REFUSED: ReadonlySet<string> = new Set([...KEY_REFUSED, 'MP_CLIENT_UNKNOWN', 'MP_CERTIFICATE']);

/**
 * The attempts for one token. Whether there is another one after a failure is the table of
 * docs/reference/faults.md: transient faults by quota and backoff, a used grant and a corrected clock once each, a refused key by the
 * next key. All but the last count against the budget.
 */
export class Operation {
  readonly #dependencies: OperationDependencies;
  readonly #request: NormalisedTokenRequest;
  readonly #budget: RetryBudget;
  readonly #keepsAlive: boolean;
  readonly #startedMs: number;
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

  constructor(
    dependencies: OperationDependencies,
    request: NormalisedTokenRequest,
    budget: RetryBudget,
    options: { readonly keepsAlive: boolean },
  ) {
    this.#dependencies = dependencies;
    this.#request = request;
    this.#budget = budget;
    this.#keepsAlive = options.keepsAlive;
    this.#startedMs = dependencies.clock.monotonicMs();
    this.#ringKey = dependencies.keys.current;
    this.#key = this.#ringKey;
  }

  get attempts(): number {
    return this.#attempts;
  }

  /** Milliseconds since the operation began. */
  get elapsedMs(): number {
    return Math.round(this.#dependencies.clock.monotonicMs() - this.#startedMs);
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

  /** @throws MaskinportenError of the last attempt. */
  async run(signal: AbortSignal): Promise<ObtainedToken> {
    for (;;) {
      this.#ringKey = this.#dependencies.keys.current;
      this.#key = this.#trial?.key ?? this.#ringKey;
      this.#attempts += 1;
      try {
        const timeoutMs = Math.min(this.#budget.attemptTimeoutMs, Math.max(this.#remainingMs(), 1));
        const result = await attempt(this.#dependencies, this.#request, this.#key, timeoutMs, signal, this.#signed);
        this.#accepted();
        return { ...result, keyIdentity: this.#key.identity, attempts: this.#attempts, elapsedMs: this.elapsedMs };
      } catch (caught) {
        if (!isMaskinportenError(caught) || signal.aborted) throw caught;
        const error = this.#withoutRefusedStandIn(caught);
        const { kind, scopes } = this.#request;
        const failed = this.#attempts;
        const delayMs = this.#delayBeforeRetry(error);
        const willRetry = delayMs !== undefined;
        this.#dependencies.onEvent({ type: 'attempt-failed', kind, scopes, error, attempt: failed, willRetry });
        if (delayMs === undefined) throw error;
        if (delayMs > 0) await sleep(delayMs, signal, this.#keepsAlive);
      }
    }
  }

  readonly #signed = (jti: string): void => {
    this.#jti = jti;
  };

  #remainingMs(): number {
    return this.#budget.deadlineMs - this.elapsedMs;
  }

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
    const remainingMs = this.#remainingMs();
    if (!fits(0, remainingMs)) return undefined;
    if (isStaleSocket(error) && !this.#staleSocketRetried) {
      // F-05: the server had closed an idle connection; nothing was tried yet, so the attempt is not counted.
      this.#staleSocketRetried = true;
      this.#attempts -= 1;
      return 0;
    }
    if (this.#anotherKey(error)) return 0;
    this.#failures += 1;
    if (this.#failures >= this.#budget.attempts) return undefined;
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
