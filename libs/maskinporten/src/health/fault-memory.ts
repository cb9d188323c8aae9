import type { MaskinportenError } from '../errors/index.js';
import type { RequestKind } from '../token-endpoint/index.js';
import { faultEffect, type FaultEffect } from './fault-effect.js';

/** A fault that has not been proven over. */
export interface RememberedFault extends FaultEffect {
  readonly code: string;
  readonly mpCode?: string | undefined;
  readonly atMs: number;
  readonly kind: RequestKind;
  readonly scopes?: readonly string[] | undefined;
}

/** Which request something happened to. */
export interface RequestFacts {
  readonly kind: RequestKind;
  readonly scopes: readonly string[];
}

/** A fault of the service is over when it has not come back for this long and the issuer has answered since. */
const SERVICE_MEMORY_MS = 20_000;
/** What only a change by somebody ends, and nobody has asked again, is not known any more after this. */
const MEMORY_MS = 10 * 60_000;
/** Distinct scopes that are remembered; more than one service has. */
const MAX_FAULTS = 100;

/** Which failures of token requests still colour the health of a client. Times are monotonic milliseconds. */
export class FaultMemory {
  readonly #faults = new Map<string, RememberedFault>();
  #issuerAnsweredMs = Number.NEGATIVE_INFINITY;

  failed(error: MaskinportenError, { kind, scopes }: RequestFacts, nowMs: number): void {
    const effect = faultEffect(error);
    // An OAuth answer, whatever it says, proves that the service is there.
    if (error.oauthError !== undefined) this.#forgetService(kind);
    if (effect === undefined) return;
    const name = nameOf(effect, kind, scopes);
    this.#faults.delete(name);
    const [oldest] = this.#faults.keys();
    if (this.#faults.size >= MAX_FAULTS && oldest !== undefined) this.#faults.delete(oldest);
    this.#faults.set(name, {
      ...effect,
      code: error.code,
      mpCode: error.mpCode,
      atMs: nowMs,
      kind,
      ...(effect.area === 'request' ? { scopes } : {}),
    });
  }

  succeeded({ kind, scopes }: RequestFacts): void {
    this.#forgetService(kind);
    this.#faults.delete('client');
    this.#faults.delete('key');
    this.#faults.delete(requestName(scopes));
  }

  issuerAnswered(nowMs: number): void {
    this.#issuerAnsweredMs = nowMs;
  }

  current(nowMs: number): readonly RememberedFault[] {
    for (const [name, fault] of this.#faults) if (this.#isOver(fault, nowMs)) this.#faults.delete(name);
    return [...this.#faults.values()];
  }

  #isOver({ area, atMs }: RememberedFault, nowMs: number): boolean {
    if (area === 'service') return this.#issuerAnsweredMs > atMs && nowMs - atMs >= SERVICE_MEMORY_MS;
    // A key that was refused stays refused until a request with a key succeeds.
    return area !== 'key' && nowMs - atMs >= MEMORY_MS;
  }

  /** Requests for a system user go through everything that plain ones go through, but not the other way round. */
  #forgetService(kind: RequestKind): void {
    this.#faults.delete(serviceName(kind));
    if (kind === 'system-user') this.#faults.delete(serviceName('plain'));
  }
}

const serviceName = (kind: RequestKind): string => `service ${kind}`;
const requestName = (scopes: readonly string[]): string => `request ${scopes.join(' ')}`;

function nameOf({ area }: FaultEffect, kind: RequestKind, scopes: readonly string[]): string {
  if (area === 'service') return serviceName(kind);
  return area === 'request' ? requestName(scopes) : area;
}
