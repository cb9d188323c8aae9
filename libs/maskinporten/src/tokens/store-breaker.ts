/** Milliseconds that the store is left alone after it has failed; then one command looks whether it is back. */
const PAUSE_MS = 30_000;
/** Failures in a row after which it is left alone. */
const MAX_FAILURES = 3;

/** A part of the store that is left alone after failures. */
export class StoreBreaker {
  #failures = 0;
  #closedUntilMs = -Infinity;
  #probing = false;

  constructor(private readonly nowMs: () => number) {}

  get open(): boolean {
    return this.#failures >= MAX_FAILURES;
  }

  /** @returns false when the command is not to be sent */
  enter(): boolean {
    if (!this.open) return true;
    if (this.#probing || this.nowMs() < this.#closedUntilMs) return false;
    this.#probing = true;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#probing = false;
  }

  failed(atOnce = false): void {
    this.#failures = atOnce ? MAX_FAILURES : this.#failures + 1;
    this.#probing = false;
    this.#closedUntilMs = this.nowMs() + PAUSE_MS;
  }
}
