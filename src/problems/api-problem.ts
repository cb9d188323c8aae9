import type { AxiosError } from 'axios';
import { problem, type Problem, type ProblemFailure } from './problem.js';

/** Facts about a failed call to an API that may be logged: no query, no header, no body. */
export interface FailedCall {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status?: number;
  readonly reason?: string;
}

export function describeCall(error: AxiosError): FailedCall {
  const { config, response, code } = error;
  const address = [config?.baseURL, config?.url].filter((part) => part !== undefined && part !== '').join('/');
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return {
    method: (config?.method ?? 'get').toUpperCase(),
    host: url?.host ?? '(unknown)',
    path: url?.pathname.replaceAll(/\/{2,}/g, '/') ?? '(unknown)',
    ...(response === undefined ? {} : { status: response.status }),
    ...(code === undefined ? {} : { reason: code }),
  };
}

/** Answers that concern what our own caller asked for, so that the caller gets them too. */
const PASSED_ON = new Set([400, 403, 404, 409, 410, 422]);
const TIMEOUTS = new Set(['ECONNABORTED', 'ETIMEDOUT', 'ESOCKETTIMEDOUT']);

/**
 * What our caller is told when an API that we called failed: its own 403 (F-135) and the like are passed on, an
 * unavailable API is 503 or 504, and a refused token is ours to fix. Nothing of the API's body is repeated.
 */
export function apiProblem(error: AxiosError): Problem {
  const { host } = describeCall(error);
  const status = error.response?.status;
  if (status === undefined) {
    const late = TIMEOUTS.has(error.code ?? '');
    return problem(late ? 504 : 503, 'An API that the service depends on could not be reached.', {
      failures: failure(
        late ? 'API_TIMEOUT' : 'API_UNREACHABLE',
        `${host} ${late ? 'did not answer in time' : 'could not be reached'}`,
      ),
    });
  }
  const reason = `${host} answered ${status}`;
  if (PASSED_ON.has(status)) {
    return problem(status, `The API refused the call: ${reason}.`, {
      code: 'API_REFUSED',
      failures: failure('API_REFUSED', reason),
    });
  }
  const unavailable = status === 429 || status === 503;
  const retryAfterSeconds = unavailable ? wholeSeconds(error.response?.headers?.['retry-after']) : undefined;
  return {
    ...problem(unavailable ? 503 : 502, 'An API that the service depends on did not answer as it should.', {
      failures: failure(status === 401 ? 'API_REFUSED_TOKEN' : 'API_FAILED', reason),
    }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

const wholeSeconds = (value: unknown): number | undefined =>
  typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : undefined;

const failure = (code: string, reason: string): readonly ProblemFailure[] => [{ field: 'downstream', code, reason }];
