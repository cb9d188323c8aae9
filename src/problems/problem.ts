import { STATUS_CODES } from 'node:http';
import { BadRequestException, type ValidationError, ServiceUnavailableException } from '@nestjs/common';

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

/** A request that does not have the form the handler asks for; it names every wrong field and repeats no value. */
export class InvalidRequestException extends BadRequestException {
  readonly failures: readonly ProblemFailure[];

  constructor(errors: readonly ValidationError[]) {
    super('The request has fields that are missing or wrong.');
    this.failures = errors.flatMap((error) => failuresOf(error, ''));
  }
}

function failuresOf({ property, constraints = {}, children = [] }: ValidationError, parent: string): ProblemFailure[] {
  const field = parent === '' ? property : `${parent}.${property}`;
  return [
    ...Object.values(constraints).map((reason) => ({ field, code: 'INVALID', reason })),
    ...children.flatMap((child) => failuresOf(child, field)),
  ];
}

/** Something that the service needs does not answer; it names what. */
export class UnavailableException extends ServiceUnavailableException {
  constructor(
    message: string,
    readonly failures: readonly ProblemFailure[],
  ) {
    super(message);
  }
}
