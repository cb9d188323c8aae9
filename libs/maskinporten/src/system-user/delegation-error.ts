import { HttpException } from '@nestjs/common';
import type { Failure, Hint } from '../errors/index.js';
import {
  DELEGATION_CODES,
  OWN_ORGANISATION,
  RightsRefusal,
  type DelegationCode,
  type RefusalDetails,
} from '../rights/index.js';

/** RFC 9457 problem document of a denial. */
export interface DelegationProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: DelegationCode;
  /** A sentence for the customer, in English and Norwegian. */
  readonly hint: Hint;
  /** The organisation that was asked about; absent until the caller is known to be allowed to ask. */
  readonly organisation?: string;
  /** Where the customer approves the waiting request. */
  readonly confirmUrl?: string;
  readonly failures?: readonly Failure[];
  readonly retryAfterMs?: number;
}

/** No server says how long: soon enough for a person, late enough for an overloaded service. */
const DEFAULT_RETRY_AFTER_MS = 5_000;

/**
 * A delegated action was stopped. Nest answers it as `application/problem+json` by itself; a filter of your own finds
 * the same document in `getResponse()`, and GraphQL in `extensions`.
 *
 * @example if (error instanceof DelegationError && error.code === 'system_user_request_pending') show(error.confirmUrl);
 */
export class DelegationError extends HttpException {
  readonly code: DelegationCode;
  readonly hint: Hint;
  /** For GraphQL, which puts it into the answer. */
  readonly extensions: DelegationProblem;
  declare readonly confirmUrl?: string;
  declare readonly retryAfterMs?: number;
  declare readonly failures?: readonly Failure[];
  declare readonly reason?: string;
  /** True for an agent that was asked about its own organisation. */
  declare readonly ownOrganisation?: true;

  constructor(code: DelegationCode, details: RefusalDetails = {}) {
    const problem = problemOf(code, details);
    super(problem, problem.status);
    this.name = 'DelegationError';
    this.message = problem.title;
    this.code = code;
    this.hint = problem.hint;
    this.extensions = problem;
    if (problem.confirmUrl !== undefined) this.confirmUrl = problem.confirmUrl;
    if (problem.retryAfterMs !== undefined) this.retryAfterMs = problem.retryAfterMs;
    if (problem.failures !== undefined) this.failures = problem.failures;
    if (details.reason !== undefined) this.reason = details.reason;
    if (details.ownOrganisation === true) this.ownOrganisation = true;
  }

  get problem(): DelegationProblem {
    return this.extensions;
  }
}

/** True for a denial, also when two copies of the package are loaded. */
export function isDelegationError(error: unknown, code?: DelegationCode): error is DelegationError {
  if (!(error instanceof Error) || error.name !== 'DelegationError' || !('code' in error)) return false;
  return code === undefined || error.code === code;
}

/** A refusal in the form that Nest answers; every other error stays what it is. */
export const asDenial = (error: unknown): unknown =>
  error instanceof RightsRefusal ? new DelegationError(error.code, error.details) : error;

function problemOf(code: DelegationCode, details: RefusalDetails): DelegationProblem {
  const facts = DELEGATION_CODES[code];
  const { httpStatus: status } = facts;
  const { title, detail, hint } = details.ownOrganisation === true ? OWN_ORGANISATION : facts;
  const { organisation, confirmUrl, failures } = details;
  const retryAfterMs = code === 'delegation_unknown' ? (details.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS) : undefined;
  return Object.freeze({
    type: 'about:blank',
    title,
    status,
    detail,
    code,
    hint,
    ...(organisation === undefined ? {} : { organisation }),
    ...(confirmUrl === undefined ? {} : { confirmUrl }),
    ...(failures === undefined || failures.length === 0 ? {} : { failures: [...failures] }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
