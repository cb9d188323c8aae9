import { type Reader, isRecord, list } from './readers.js';

/** What the operator API needs from a list, whatever its items are. */
export interface AnyCollection {
  readonly name: string;
  /** The items as the operator API shows them. */
  views(): readonly object[];
  view(key: string): object | undefined;
  /** What the operator API shows of an item that was just added. */
  viewOf(item: object): object;
  addUnknown(value: unknown, field?: string): readonly object[];
  remove(key: string): boolean;
  removeWhere(members: Readonly<Record<string, string>>): number;
  clear(): void;
}

export interface CollectionDefinition<Item> {
  readonly name: string;
  readonly read: Reader<Item>;
  /** Items with the same key replace each other. */
  readonly key: (item: Item) => string;
  /** What the operator API shows of an item; default: all of it. */
  readonly view?: (item: Item) => object;
}

/** One list of the configuration: read from a file, held while the simulator runs, changed through the operator API. */
export class Collection<Item extends object, Input = Item> implements AnyCollection {
  readonly name: string;
  readonly #definition: CollectionDefinition<Item>;
  #items = new Map<string, Item>();

  constructor(definition: CollectionDefinition<Item>) {
    this.name = definition.name;
    this.#definition = definition;
  }

  list(): readonly Item[] {
    return [...this.#items.values()];
  }

  get(key: string): Item | undefined {
    return this.#items.get(key);
  }

  views(): readonly object[] {
    return this.list().map((item) => this.viewOf(item));
  }

  view(key: string): object | undefined {
    const item = this.get(key);
    return item && this.viewOf(item);
  }

  viewOf(item: Item): object {
    return this.#definition.view?.(item) ?? item;
  }

  /**
   * Adds items, or replaces those with the same key; all or none.
   * @throws ConfigurationError naming each wrong field.
   */
  add(input: Input | readonly Input[]): readonly Item[] {
    return this.addUnknown(input);
  }

  addUnknown(value: unknown, field = ''): readonly Item[] {
    const added = Array.isArray(value)
      ? list(this.#definition.read)(value, field === '' ? this.name : field)
      : [this.#definition.read(value, field)];
    for (const item of added) this.#items.set(this.#definition.key(item), item);
    return added;
  }

  /** Puts an item that has been read before, changed, in the place of the one with its key. */
  put(item: Item): void {
    this.#items.set(this.#definition.key(item), item);
  }

  remove(key: string): boolean {
    return this.#items.delete(key);
  }

  /** Removes the items whose members, written as text, are all as given; says how many. */
  removeWhere(members: Readonly<Record<string, string>>): number {
    let removed = 0;
    for (const [key, item] of this.#items) {
      const view: unknown = this.#definition.view?.(item) ?? item;
      const matches =
        isRecord(view) && Object.entries(members).every(([member, wanted]) => textOf(view[member]) === wanted);
      if (matches && this.#items.delete(key)) removed += 1;
    }
    return removed;
  }

  clear(): void {
    this.#items.clear();
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
