import type { RequestContext } from './request-context.js';

/** A call with a token, as those who watch it see it: no token, no query, no header and no body. */
export interface OutboundCall {
  /** Of this attempt; a call that is repeated with another token is a second one. */
  readonly id: string;
  /** The incoming request that it is made for. */
  readonly context: RequestContext | undefined;
  /** Name of the Maskinporten client, `default` unless it was given one. */
  readonly client: string;
  /** In capitals. */
  readonly method: string;
  /** With its port, if it is not the usual one. */
  readonly host: string;
  /** Path with numbers and ids replaced by `{id}`, or the call's own `pathTemplate`. */
  readonly pathTemplate: string;
  readonly scopes: readonly string[];
  /** On whose behalf, nine digits; undefined for our own and for a person. */
  readonly organisation: string | undefined;
  /** The organisation whose consent is used, where that is another than `organisation`. */
  readonly party?: string | undefined;
  /** True when it is made by somebody else's right: a system user's, a `consumer_org`'s, a consent or a person's (`pid`). */
  readonly delegated: boolean;
  /** `jti` of the grant that its token came from; undefined when no token was to be had. */
  readonly tokenJti: string | undefined;
  readonly kid: string | undefined;
  readonly startedAt: Date;
}

/** How a call ended. */
export interface CallOutcome {
  /** HTTP status of the answer; undefined when there was none. */
  readonly status?: number;
  /** Our code, or that of the transport, when there was no answer. */
  readonly errorCode?: string;
  /** Milliseconds from before the intent was recorded until the answer: its end, or its head when it is streamed. */
  readonly durationMs: number;
}

/** Hears of calls: an audit log, or what an answer says about the calls behind it. */
export interface CallObserver {
  /** Before anything is sent. When its promise rejects, the call is not made and fails with that error. */
  before?(call: OutboundCall): Promise<void> | undefined;
  /** When the call is over; also when there was no token, and then `before` was not asked. What it throws is ignored (F-138). */
  after?(call: OutboundCall, outcome: CallOutcome): void;
}

/** Who watches the calls of one application's clients. */
export class CallObservers {
  readonly #observers = new Set<CallObserver>();

  /** @returns a function that ends the watching */
  add(observer: CallObserver): () => void {
    this.#observers.add(observer);
    return () => {
      this.#observers.delete(observer);
    };
  }

  get watching(): boolean {
    return this.#observers.size > 0;
  }

  /** Resolves when every observer has agreed; the first refusal ends it, whatever the others say. */
  before(call: OutboundCall): Promise<unknown> | undefined {
    const waits: Promise<void>[] = [];
    for (const observer of this.#observers) {
      try {
        const wait = observer.before?.(call);
        if (wait !== undefined) waits.push(wait);
      } catch (error) {
        // As if it had rejected: what the others have promised already must be waited for, too.
        waits.push(Promise.reject(error));
      }
    }
    return waits.length === 0 ? undefined : Promise.all(waits);
  }

  after(call: OutboundCall, outcome: CallOutcome): void {
    for (const observer of this.#observers) {
      try {
        observer.after?.(call, outcome);
      } catch {
        // F-138: the call is over, and its answer belongs to the caller.
      }
    }
  }
}
