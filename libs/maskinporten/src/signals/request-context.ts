import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { ownMembers } from '../basics/index.js';
import { createError } from '../errors/index.js';

/** What is known of an incoming request, or of a job, when it begins. */
export interface RequestContextInit {
  /** Given to the request by this service; it names the request in logs, answers and the audit log. */
  readonly requestId: string;
  /** W3C `traceparent` header as it arrived; one that is malformed is ignored, as the standard asks. */
  readonly traceparent?: string | undefined;
  /** Who calls, when that is known already. */
  readonly caller?: string | undefined;
}

/** Printable and short enough for a column of the audit log. */
const NAME = /^[\x21-\x7e]{1,128}$/;
/** Version 00 of https://www.w3.org/TR/trace-context/#traceparent-header-field-values, and later ones that begin like it. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:-.*)?$/;

/**
 * Which request is being served, for what is recorded about it: it follows promises, parallel calls and Observables that
 * are subscribed to inside. It says nothing about tokens; see `MaskinportenContext` for those.
 *
 * @example
 * RequestContext.run(new RequestContext({ requestId: randomUUID() }), () => nightlyImport());
 */
export class RequestContext {
  static readonly #storage = new AsyncLocalStorage<RequestContext>();

  readonly requestId: string;
  readonly #trace: { readonly id: string; readonly flags: string } | undefined;
  #caller: string | undefined;

  /** @throws TokenRequestInvalidError (`MP_REQUEST`) when the request id or the caller is not 1–128 printable ASCII characters. */
  constructor(init: RequestContextInit) {
    const { requestId, traceparent, caller } = ownMembers(init);
    this.requestId = checked(requestId, 'requestId');
    this.#caller = caller === undefined ? undefined : checked(caller, 'caller');
    const [, id, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
    this.#trace = id === undefined || flags === undefined ? undefined : { id, flags };
  }

  /** Who calls; undefined until `identify`. */
  get caller(): string | undefined {
    return this.#caller;
  }

  /**
   * Says who calls, once that is known.
   *
   * @throws TokenRequestInvalidError (`MP_REQUEST`) for a second caller: a request has one
   */
  identify(caller: string): void {
    if (this.#caller !== undefined && this.#caller !== caller) {
      throw createError('MP_REQUEST', { message: 'The request has another caller already.', field: 'caller' });
    }
    this.#caller = checked(caller, 'caller');
  }

  /** The trace id that arrived, 32 hexadecimal digits. */
  get traceId(): string | undefined {
    return this.#trace?.id;
  }

  /** `traceparent` for one outgoing call: the same trace, and an id of its own for the call (Trace Context §4.3). */
  nextTraceparent(): string | undefined {
    if (this.#trace === undefined) return undefined;
    return `00-${this.#trace.id}-${randomBytes(8).toString('hex')}-${this.#trace.flags}`;
  }

  /** Runs `fn`, and everything it starts, for this request. */
  static run<T>(context: RequestContext, fn: () => T): T {
    return RequestContext.#storage.run(context, fn);
  }

  /** The request that is being served here, if there is one. */
  static current(): RequestContext | undefined {
    return RequestContext.#storage.getStore();
  }
}

function checked(value: unknown, field: string): string {
  if (typeof value === 'string' && NAME.test(value)) return value;
  throw createError('MP_REQUEST', { message: `${field} must be 1 to 128 printable ASCII characters.`, field });
}
