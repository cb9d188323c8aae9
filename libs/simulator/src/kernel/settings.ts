import { type Reader, isRecord, refuse } from './readers.js';

/** What the operator API needs from a group of switches. */
export interface AnySettings {
  readonly name: string;
  view(): object;
  /** Changes the members that are named and leaves the others. */
  set(value: unknown, field?: string): void;
  /** Back to the defaults. */
  clear(): void;
}

/** One object of the configuration: a group of switches with defaults, changed through the operator API. */
export class Settings<Values extends object, Input extends object = Partial<Values>> implements AnySettings {
  readonly name: string;
  readonly #read: Reader<Values>;
  #current: Values;

  /** `read` must accept an empty object: every switch has a default. */
  constructor(name: string, read: Reader<Values>) {
    this.name = name;
    this.#read = read;
    this.#current = read({}, '');
  }

  get current(): Values {
    return this.#current;
  }

  view(): Values {
    return this.#current;
  }

  /** @throws ConfigurationError naming each wrong field. */
  change(values: Input): void {
    this.set(values);
  }

  set(value: unknown, field = ''): void {
    if (!isRecord(value)) refuse(field === '' ? this.name : field, 'must be an object');
    this.#current = this.#read({ ...this.#current, ...value }, field);
  }

  clear(): void {
    this.#current = this.#read({}, '');
  }
}
