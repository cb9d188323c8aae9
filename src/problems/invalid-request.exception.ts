import { BadRequestException, type ValidationError } from '@nestjs/common';
import type { ProblemFailure } from './problem.js';

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
