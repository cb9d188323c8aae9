import { KeyFailure } from './key-failure.js';

/** More than twice what any tool writes today; each costs about a microsecond (F-120). */
export const MAX_ITERATIONS = 2_000_000;
/** For everything in one file, with every way its password may have been encoded. */
const MAX_TOTAL = 3 * MAX_ITERATIONS;

/** Counts what one file makes us compute, so that its size and not its wishes decide how long it takes. */
export class IterationBudget {
  readonly #member: string;
  #left = MAX_TOTAL;

  constructor(member: string) {
    this.#member = member;
  }

  /** @throws KeyFailure when the count is not a number, or is too high. */
  take(iterations: unknown): number {
    if (typeof iterations !== 'number' || !Number.isSafeInteger(iterations) || iterations < 1) {
      throw new KeyFailure(this.#member, 'is damaged: the number of key derivation iterations is not a number');
    }
    if (iterations > MAX_ITERATIONS) {
      throw new KeyFailure(
        this.#member,
        `asks for ${iterations} key derivation iterations, at most ${MAX_ITERATIONS} are done: protect it again with fewer`,
      );
    }
    this.#left -= iterations;
    if (this.#left < 0) {
      throw new KeyFailure(this.#member, `asks for more than ${MAX_TOTAL} key derivation iterations in all`);
    }
    return iterations;
  }
}
