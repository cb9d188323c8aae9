import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import {
  CallObservers,
  type CallObserver,
  type CallOutcome,
  type OutboundCall,
  type RequestContext,
} from 'nestjs-maskinporten';

/** One call with a token that was made for a request. */
export interface Downstream {
  readonly method: string;
  readonly host: string;
  /** With ids and numbers left out, and without a query. */
  readonly path: string;
  /** Absent when there was no answer; `errorCode` says why. */
  readonly status?: number;
  readonly errorCode?: string;
  readonly scopes: readonly string[];
  /** Organisation number; absent when the call was in our own name. */
  readonly onBehalfOf?: string;
  /** `jti` of the grant that the token came from; absent when there was no token to be had. */
  readonly tokenJti?: string;
  readonly durationMs: number;
}

/** Remembers the calls of each request that is being served, in the order in which they ended. */
@Injectable()
export class DownstreamCalls implements CallObserver, OnModuleDestroy {
  readonly #calls = new WeakMap<RequestContext, Downstream[]>();
  readonly #stopWatching: () => void;

  constructor(observers: CallObservers) {
    this.#stopWatching = observers.add(this);
  }

  after(call: OutboundCall, outcome: CallOutcome): void {
    if (call.context === undefined) return;
    const ended = downstream(call, outcome);
    const calls = this.#calls.get(call.context);
    if (calls === undefined) this.#calls.set(call.context, [ended]);
    else calls.push(ended);
  }

  /** Those that have ended so far. */
  of(context: RequestContext): readonly Downstream[] {
    return [...(this.#calls.get(context) ?? [])];
  }

  onModuleDestroy(): void {
    this.#stopWatching();
  }
}

function downstream(
  { method, host, pathTemplate, scopes, organisation, tokenJti }: OutboundCall,
  { status, errorCode, durationMs }: CallOutcome,
): Downstream {
  return {
    method,
    host,
    path: pathTemplate,
    ...(status === undefined ? {} : { status }),
    ...(errorCode === undefined ? {} : { errorCode }),
    scopes,
    ...(organisation === undefined ? {} : { onBehalfOf: organisation }),
    ...(tokenJti === undefined ? {} : { tokenJti }),
    durationMs,
  };
}
