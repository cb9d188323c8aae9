const CAPACITY = 50;
const COST = 5;
const TIMEOUT_COST = 10;
const SUCCESS_GAIN = 1;
/** One unit comes back every two seconds. */
const MS_PER_UNIT = 2_000;

/**
 * A budget for retries, shared by all requests of one client: when everything fails, retries dry up instead of
 * multiplying the load on a service that is already in trouble.
 */
export class RetryBudget {
  readonly #monotonicMs: () => number;
  #units = CAPACITY;
  #refilledAtMs: number;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
    this.#refilledAtMs = monotonicMs();
  }

  get units(): number {
    this.#refill();
    return this.#units;
  }

  /** @returns what was taken, to be given back when the retry succeeds; undefined when the budget is spent. */
  take(afterTimeout: boolean): number | undefined {
    this.#refill();
    const cost = afterTimeout ? TIMEOUT_COST : COST;
    if (this.#units < cost) return undefined;
    this.#units -= cost;
    return cost;
  }

  /** An operation succeeded: at the first attempt (nothing was taken) or after retries that took `taken` units. */
  succeeded(taken: number): void {
    this.#refill();
    this.#units = Math.min(CAPACITY, this.#units + (taken === 0 ? SUCCESS_GAIN : taken));
  }

  #refill(): void {
    const now = this.#monotonicMs();
    const gained = Math.floor((now - this.#refilledAtMs) / MS_PER_UNIT);
    if (gained <= 0) return;
    this.#units = Math.min(CAPACITY, this.#units + gained);
    this.#refilledAtMs += gained * MS_PER_UNIT;
  }
}
