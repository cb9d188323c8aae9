/** A place in a `Line`; with it its holder can leave from anywhere. */
export interface Place<T> {
  readonly item: T;
}

interface Node<T> extends Place<T> {
  before: Node<T> | undefined;
  after: Node<T> | undefined;
  line: Line<T> | undefined;
}

/** A queue that can be joined at both ends and left from anywhere, in a time that does not depend on its length. */
export class Line<T> {
  #first: Node<T> | undefined;
  #last: Node<T> | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): T | undefined {
    return this.#first?.item;
  }

  append(item: T): Place<T> {
    const node: Node<T> = { item, before: this.#last, after: undefined, line: this };
    if (this.#last === undefined) this.#first = node;
    else this.#last.after = node;
    this.#last = node;
    this.#length += 1;
    return node;
  }

  prepend(item: T): Place<T> {
    const node: Node<T> = { item, before: undefined, after: this.#first, line: this };
    if (this.#first === undefined) this.#last = node;
    else this.#first.before = node;
    this.#first = node;
    this.#length += 1;
    return node;
  }

  /** @returns false when the place was left before, or belongs to another line */
  leave(place: Place<T>): boolean {
    const node = place as Node<T>;
    if (node.line !== this) return false;
    const { before, after } = node;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    node.line = undefined;
    this.#length -= 1;
    return true;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let node = this.#first; node !== undefined; node = node.after) yield node.item;
  }
}
