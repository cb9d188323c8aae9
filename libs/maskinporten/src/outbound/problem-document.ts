import { STATUS_CODES } from 'node:http';
import { problemStatus, type Failure, type Hint, type MaskinportenError } from '../errors/index.js';

/** An RFC 9457 problem document about a Maskinporten failure. */
export interface MaskinportenProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The MP_ code below status 500; `SERVER_ERROR` from 500 on, where `failures` tells which one. */
  readonly code: string;
  readonly failures: readonly Failure[];
  readonly hint?: Hint;
  readonly traceId?: string;
  readonly retryAfterMs?: number;
}

/**
 * Describes an error to our own caller. From status 500 on it is ours to fix, so the text says no more than the
 * failures do; below, the caller or the customer can act, so the hint is for them.
 */
export function problemDocument(error: MaskinportenError): MaskinportenProblem {
  const status = problemStatus(error);
  const ours = status >= 500;
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Client Closed Request',
    status,
    detail: ours ? 'The service could not get access to an API that it depends on.' : error.message,
    code: ours ? 'SERVER_ERROR' : error.code,
    failures: error.failures.map(({ field, code, reason }) => ({ field, code, reason })),
    ...(ours ? {} : { hint: error.hint }),
    ...(error.traceId === undefined ? {} : { traceId: error.traceId }),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  };
}
