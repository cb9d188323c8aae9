const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/** Pauses that grow while a store does not answer: `U(½, 1) · min(5 s, 2^k · 100 ms)`. */
export class Pause {
  readonly #random: () => number;
  #failures = 0;
  #end: (() => void) | undefined;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** @param isShort when there is no time to lose */
  wait(isShort: boolean): Promise<void> {
    const base = isShort ? FIRST_MS : Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 10);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, base * (0.5 + this.#random() / 2));
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends the pause that is being made. */
  shorten(): void {
    this.#end?.();
  }

  reset(): void {
    this.#failures = 0;
  }
}
