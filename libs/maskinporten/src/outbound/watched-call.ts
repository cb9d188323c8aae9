import { randomUUID } from 'node:crypto';
import { errorCode } from '../basics/index.js';
import { isMaskinportenError } from '../errors/index.js';
import type { NormalisedTokenRequest } from '../grants/index.js';
import { RequestContext, type CallObservers, type OutboundCall } from '../signals/index.js';
import type { MaskinportenToken } from '../tokens/index.js';
import { pathTemplateOf } from './path-template.js';

/** What is known of a call before its token. */
export interface WatchedParts {
  readonly observers: CallObservers;
  readonly client: string;
  readonly request: NormalisedTokenRequest;
  readonly method: string;
  readonly url: URL;
  readonly pathTemplate: string | undefined;
}

const UNKNOWN = 'UNKNOWN';

/** Reports one attempt of a call to the observers: before it is sent, and once when it is over. */
export class WatchedCall {
  readonly #observers: CallObservers;
  readonly #call: OutboundCall;
  readonly #startedMs = performance.now();
  #over = false;

  constructor({ observers, client, request, method, url, pathTemplate }: WatchedParts, token?: MaskinportenToken) {
    this.#observers = observers;
    const { organisation, consentingOrganisation, delegated, scopes } = request;
    this.#call = Object.freeze({
      id: randomUUID(),
      context: RequestContext.current(),
      client,
      method: method.toUpperCase(),
      host: url.host,
      pathTemplate: pathTemplate ?? pathTemplateOf(url.pathname),
      scopes,
      organisation,
      party: consentingOrganisation === organisation ? undefined : consentingOrganisation,
      delegated,
      tokenJti: token?.jti,
      kid: token?.kid,
      startedAt: new Date(),
    });
  }

  /** Resolves when the call may be made. */
  async intend(): Promise<void> {
    try {
      await this.#observers.before(this.#call);
    } catch (error) {
      this.failed(error);
      throw error;
    }
  }

  answered(status: number): void {
    this.#end({ status });
  }

  failed(error: unknown): void {
    this.#end({ errorCode: codeOf(error) });
  }

  #end(how: { readonly status: number } | { readonly errorCode: string }): void {
    if (this.#over) return;
    this.#over = true;
    this.#observers.after(this.#call, { ...how, durationMs: Math.round(performance.now() - this.#startedMs) });
  }
}

/** A code as transports give it (`ECONNRESET`), never a text. */
function codeOf(error: unknown): string {
  if (isMaskinportenError(error)) return error.code;
  if (typeof error !== 'object' || error === null) return UNKNOWN;
  // A fetch that was stopped says so by its name, and one that failed hides the reason in its cause.
  if ('name' in error && error.name === 'AbortError') return 'ERR_CANCELED';
  if ('name' in error && error.name === 'TimeoutError') return 'ETIMEDOUT';
  return errorCode(error) ?? ('cause' in error ? errorCode(error.cause) : undefined) ?? UNKNOWN;
}
