import { Listeners } from '../basics/index.js';

/** A call that somebody made to the application with a token, and what came of it. Nothing of the token but its `jti`. */
export interface InboundCall {
  /** `accepted`, or the code of the refusal. */
  readonly outcome: string;
  /** What the handler requires: of the code, not of the caller, so that a metric may have it. */
  readonly requiredScopes: readonly string[];
  readonly requestId?: string | undefined;
  /** HTTP method; absent for messages. */
  readonly method?: string | undefined;
  /** The route with `{names}` in place of values, or `Class.method`. */
  readonly route: string;
  /** The right that the handler requires in Altinn. */
  readonly resource?: string | undefined;
  readonly action?: string | undefined;
  /** Everything from here on is known of verified tokens only; for the audit log, never for a metric. */
  readonly consumer?: string | undefined;
  readonly supplier?: string | undefined;
  /** Owner of the system user whose token it is. */
  readonly customer?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly jti?: string | undefined;
}

export type InboundCallListener = (call: InboundCall) => void;

/** Tells telemetry and the audit log who called the application, and who was refused. */
export class InboundCalls {
  readonly #listeners = new Listeners<[call: InboundCall]>();

  /** Never throws (F-138). */
  record(call: InboundCall): void {
    this.#listeners.tell(call);
  }

  /** Exceptions thrown by listeners so far. */
  get listenerFailures(): number {
    return this.#listeners.failures;
  }

  /** @returns a function that stops listening */
  onCall(listener: InboundCallListener): () => void {
    return this.#listeners.add(listener);
  }
}
