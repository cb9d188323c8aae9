import { HttpException } from '@nestjs/common';
import type { ActBy, Hint } from '../../errors/index.js';
import { INBOUND_CODES, type InboundCode } from './inbound-code.js';

/** RFC 9457 problem document of a refused call. */
export interface InboundProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: InboundCode;
  /** Who has to do something: `you` is the caller, `api-owner` is this API. */
  readonly actBy: ActBy;
  /** What to do, in English and Norwegian. */
  readonly hint: Hint;
  /** The scopes that the call needs; with `scope_missing`. */
  readonly requiredScopes?: readonly string[];
  readonly retryAfterMs?: number;
}

export interface InboundDetails {
  /** For the developer of the caller; nothing of the token. */
  readonly detail: string;
  readonly requiredScopes?: readonly string[] | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** Soon enough for a person, late enough for a service that has trouble. */
const DEFAULT_RETRY_AFTER_MS = 5_000;

/**
 * A call was refused because of its token. Nest answers it as `application/problem+json` by itself; a filter of your own
 * finds the same document in `getResponse()`, and GraphQL in `extensions`.
 *
 * @example if (error instanceof InboundCallError && error.code === 'scope_missing') log(error.problem.requiredScopes);
 */
export class InboundCallError extends HttpException {
  readonly code: InboundCode;
  /** For GraphQL, which puts it into the answer. */
  readonly extensions: InboundProblem;

  constructor(code: InboundCode, details: InboundDetails) {
    const problem = problemOf(code, details);
    super(problem, problem.status);
    this.name = 'InboundCallError';
    this.message = problem.title;
    this.code = code;
    this.extensions = problem;
  }

  get problem(): InboundProblem {
    return this.extensions;
  }
}

/** True for a refused call, also when two copies of the package are loaded. */
export function isInboundCallError(error: unknown, code?: InboundCode): error is InboundCallError {
  if (!(error instanceof Error) || error.name !== 'InboundCallError' || !('code' in error)) return false;
  return code === undefined || error.code === code;
}

function problemOf(code: InboundCode, { detail, requiredScopes, retryAfterMs }: InboundDetails): InboundProblem {
  const { httpStatus: status, title, actBy, hint } = INBOUND_CODES[code];
  return Object.freeze({
    type: 'about:blank',
    title,
    status,
    detail,
    code,
    actBy,
    hint,
    ...(code === 'scope_missing' && requiredScopes !== undefined ? { requiredScopes } : {}),
    ...(status === 503 ? { retryAfterMs: retryAfterMs ?? DEFAULT_RETRY_AFTER_MS } : {}),
  });
}
