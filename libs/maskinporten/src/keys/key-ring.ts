import type { SigningKey } from './signing-key.js';

export interface KeyChange {
  /** No longer used for new grants; tokens that were fetched with it should go. */
  readonly retired: SigningKey;
  readonly current: SigningKey;
  readonly generation: number;
}

export type KeyChangeListener = (change: KeyChange) => void;

/**
 * The keys of one client: one signs, the others are fallbacks for the days around a rotation, when Maskinporten may
 * know the old key and not yet the new one (registering takes up to two minutes).
 */
export class KeyRing {
  readonly #keys: readonly [SigningKey, ...SigningKey[]];
  readonly #rejected = new WeakSet<SigningKey>();
  readonly #listeners = new Set<KeyChangeListener>();
  #current: SigningKey;
  #generation = 0;

  constructor(keys: readonly [SigningKey, ...SigningKey[]]) {
    this.#keys = keys;
    this.#current = keys[0];
  }

  get current(): SigningKey {
    return this.#current;
  }

  /** Every key but the current one, in the order they were configured. */
  get others(): readonly SigningKey[] {
    return this.#keys.filter((key) => key !== this.#current);
  }

  /** Grows by one each time another key takes over. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * Says that Maskinporten refused `from`. Each key is given up once: whoever reports it first moves the ring to the
   * next key that nobody has refused, and everybody else who used the same key gets that one too.
   *
   * @returns the key to try instead, or undefined when every key has been refused.
   */
  useFallback(from: SigningKey): SigningKey | undefined {
    if (from !== this.#current) return this.#rejected.has(this.#current) ? undefined : this.#current;
    this.#rejected.add(from);
    const next = this.#keys.find((key) => !this.#rejected.has(key));
    if (next === undefined) return undefined;
    this.#current = next;
    this.#generation += 1;
    this.#announce({ retired: from, current: next, generation: this.#generation });
    return next;
  }

  /** @returns a function that stops listening. A listener that throws hurts nobody. */
  onChange(listener: KeyChangeListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #announce(change: KeyChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch {
        // A listener's fault must not fail the grant that is being retried.
      }
    }
  }
}
