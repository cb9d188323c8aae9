import { Injectable } from '@nestjs/common';
import { Environment, rulebookVersion } from '../config/index.js';
import { DownstreamCalls, type Downstream } from './downstream-calls.js';
import { contextOf, type AnyRequest } from './request-context.middleware.js';

/** What an answer says about itself: enough to find it in the logs, the audit log, and at those who were called. */
export interface Meta {
  readonly requestId: string;
  readonly rulebookVersion: string;
  /** Calls with a token that were made for this answer and have ended, in that order. */
  readonly downstream: readonly Downstream[];
}

/** Tells callers what was done for them. */
@Injectable()
export class RequestMeta {
  readonly #rulebookVersion: string;

  constructor(
    environment: Environment,
    private readonly calls: DownstreamCalls,
  ) {
    this.#rulebookVersion = rulebookVersion(environment);
  }

  /** @returns undefined for a request whose caller is not known: it is told nothing about the inside */
  of(request: AnyRequest): Meta | undefined {
    const context = contextOf(request);
    if (context?.caller === undefined) return undefined;
    return {
      requestId: context.requestId,
      rulebookVersion: this.#rulebookVersion,
      downstream: this.calls.of(context),
    };
  }
}
