import { ServiceUnavailableException } from '@nestjs/common';
import type { ProblemFailure } from './problem.js';

/** Something that the service needs does not answer; it names what. */
export class UnavailableException extends ServiceUnavailableException {
  constructor(
    message: string,
    readonly failures: readonly ProblemFailure[],
  ) {
    super(message);
  }
}
