/** Few, because they are compared one after the other; a service asks for few different lists of scopes. */
const KEPT = 8;

/**
 * Finds what belongs to a list by comparing its elements with those of the lists seen last. Joining the elements into a
 * key, which has to be hashed anew each time, costs more than everything else of a cache hit.
 */
export class RecentLists<T> {
  readonly #seen: { readonly list: readonly string[]; readonly value: T }[] = [];
  #oldest = 0;

  find(list: readonly unknown[]): T | undefined {
    for (const { list: other, value } of this.#seen) {
      if (isSame(list, other)) return value;
    }
    return undefined;
  }

  /** `list` must not change afterwards, and not be remembered already. */
  add(list: readonly string[], value: T): void {
    this.#seen[this.#oldest] = { list, value };
    this.#oldest = (this.#oldest + 1) % KEPT;
  }

  clear(): void {
    this.#seen.length = 0;
    this.#oldest = 0;
  }
}

function isSame(list: readonly unknown[], other: readonly string[]): boolean {
  if (list.length !== other.length) return false;
  for (let index = 0; index < other.length; index += 1) {
    if (list[index] !== other[index]) return false;
  }
  return true;
}
