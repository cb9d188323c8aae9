/** How many begin in one turn of the event loop. */
const SLICE = 256;

/**
 * Lets a crowd begin in slices, with a turn of the event loop between them, so that nobody else is held up. The first
 * slice of a turn begins at once.
 *
 * @example await slices.enter(true);
 */
export class Slices {
  #left = SLICE;
  #counting = false;
  readonly #urgent: (() => void)[] = [];
  readonly #others: (() => void)[] = [];

  /**
   * @param urgent begins before those who are not
   * @returns undefined when there is room in this turn
   */
  enter(urgent: boolean): Promise<void> | undefined {
    this.#count();
    if (this.#left > 0) {
      this.#left -= 1;
      return undefined;
    }
    return new Promise((resolve) => {
      (urgent ? this.#urgent : this.#others).push(resolve);
    });
  }

  #count(): void {
    if (this.#counting) return;
    this.#counting = true;
    setImmediate(this.#nextTurn);
  }

  readonly #nextTurn = (): void => {
    const begin = this.#urgent.splice(0, SLICE);
    begin.push(...this.#others.splice(0, SLICE - begin.length));
    this.#left = SLICE - begin.length;
    this.#counting = begin.length > 0;
    if (this.#counting) setImmediate(this.#nextTurn);
    for (const go of begin) go();
  };
}
