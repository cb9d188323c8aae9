import { STATUS_CODES } from 'node:http';

/** One cause of a problem, named after the field, setting or API that it is about. */
export interface ProblemFailure {
  readonly field: string;
  readonly code: string;
  readonly reason: string;
}

/** An RFC 9457 problem document in the form that `MaskinportenExceptionFilter` gives too. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly failures: readonly ProblemFailure[];
  readonly retryAfterSeconds?: number;
}

/** From status 500 on the code says no more than that it is ours; `failures` tells the rest. */
export function problem(
  status: number,
  detail: string,
  { code = codeOf(status), failures = [] }: { code?: string; failures?: readonly ProblemFailure[] } = {},
): Problem {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    code: status >= 500 ? 'SERVER_ERROR' : code,
    failures,
  };
}

/** `NOT_FOUND` for 404, and so on. */
const codeOf = (status: number): string => (STATUS_CODES[status] ?? 'ERROR').toUpperCase().replaceAll(/[^A-Z]+/g, '_');
