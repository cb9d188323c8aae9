import { Listeners } from '../basics/index.js';
import type { SigningKey } from './signing-key.js';

export interface KeyChange {
  /** `refused` by Maskinporten, `reloaded` from its file, or `scheduled`: its `activeFrom` has come. */
  readonly reason: 'refused' | 'reloaded' | 'scheduled';
  /** The key that signed before; the same as `current` when a key that did not sign was replaced. */
  readonly previous: SigningKey;
  readonly current: SigningKey;
  /** Refused, or out of the ring for good: tokens that were fetched with it should go. */
  readonly retired?: SigningKey;
  readonly generation: number;
}

export type KeyChangeListener = (change: KeyChange) => void;

export interface KeyRingOptions {
  /** Wall clock in milliseconds, for `activeFrom`. */
  readonly now?: () => number;
  readonly monotonicMs?: () => number;
}

/** One configured source: its key, and the one it had before its file changed. */
interface Slot {
  key: SigningKey;
  previous?: SigningKey;
}

/**
 * How long a refused key is left alone, in milliseconds. A key that is refused because it has just been uploaded is
 * known within two minutes, and may be the only good one when the old key is taken away.
 */
const REFUSAL_MEMORY_MS = 60_000;

/**
 * The keys of one client: one signs, the others are fallbacks for the days around a rotation, when Maskinporten may
 * know the old key and not yet the new one (registering takes up to two minutes).
 */
export class KeyRing {
  readonly #slots: readonly Slot[];
  readonly #now: () => number;
  readonly #monotonicMs: () => number;
  readonly #refusedAtMs = new WeakMap<SigningKey, number>();
  /** A listener's fault must not fail the grant that is being retried. */
  readonly #listeners = new Listeners<[change: KeyChange]>();
  #current: SigningKey;
  #generation = 0;
  /** Wall clock of the next `activeFrom`; infinite when nothing is planned. */
  #nextActivationMs = Number.POSITIVE_INFINITY;

  constructor(keys: readonly [SigningKey, ...SigningKey[]], options: KeyRingOptions = {}) {
    this.#now = options.now ?? Date.now;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#slots = keys.map((key) => ({ key }));
    this.#current = this.#inOrder()[0] ?? keys[0];
    this.#plan();
  }

  /** The key that signs now. Reading it is what makes a key whose `activeFrom` has come take over. */
  get current(): SigningKey {
    if (this.#now() >= this.#nextActivationMs) this.#activate();
    return this.#current;
  }

  /** Every key but the current one, in the order in which they would be tried. */
  get others(): readonly SigningKey[] {
    const { current } = this;
    return this.#inOrder().filter((key) => key !== current);
  }

  /** Grows by one each time another key takes over. */
  get generation(): number {
    return this.#generation;
  }

  /** The key that ought to sign was refused, and another one signs in its place. */
  get fallback(): boolean {
    return this.current !== this.#inOrder()[0];
  }

  /**
   * Says that Maskinporten refused `from`. The first report moves the ring to the next key that nobody has
   * refused lately, and everybody else who used the same key gets that one too.
   *
   * @returns the key to try instead, or undefined when every key has been refused.
   */
  useFallback(from: SigningKey): SigningKey | undefined {
    const { current } = this;
    if (from !== current) return this.#isRefused(current) ? undefined : current;
    this.#refusedAtMs.set(from, this.#monotonicMs());
    const next = this.#inOrder().find((key) => !this.#isRefused(key));
    if (next === undefined) return undefined;
    this.#change('refused', next, from);
    return next;
  }

  /** A key that nobody has refused lately and that may sign once in place of `key`, whose signer is away for now. */
  standInFor(key: SigningKey): SigningKey | undefined {
    return this.#inOrder().find((other) => other !== key && !this.#isRefused(other));
  }

  /**
   * Puts `key`, new in the file of source number `index`, in the place of the key that came from there. It signs at
   * once unless a source before it does, or its `activeFrom` has yet to come; the old key is kept as its fallback.
   */
  replace(index: number, key: SigningKey): void {
    const slot = this.#slots[index];
    if (slot === undefined) throw new RangeError('The ring has no such source.');
    const old = slot.key;
    const before = this.current;
    const takesOver = this.#slotOf(before) >= index && this.#isActive(key);
    slot.key = key;
    if (old.identity === key.identity) {
      // The same key, presented with another chain or other dates.
      if (before === old) this.#current = key;
      this.#plan();
      return;
    }
    const retired = slot.previous;
    slot.previous = old;
    this.#plan();
    const stays = before === retired ? (this.#inOrder()[0] ?? key) : before;
    this.#change('reloaded', takesOver ? key : stays, retired);
  }

  /** @returns a function that stops listening. A listener that throws hurts nobody. */
  onChange(listener: KeyChangeListener): () => void {
    return this.#listeners.add(listener);
  }

  #activate(): void {
    const next = this.#inOrder().find((key) => !this.#isRefused(key));
    this.#plan();
    if (next !== undefined && next !== this.#current) this.#change('scheduled', next, undefined);
  }

  /** As configured, each with the key its file had before; those whose time has not come are a last resort. */
  #inOrder(): readonly SigningKey[] {
    const keys = this.#slots.flatMap(({ key, previous }) => (previous === undefined ? [key] : [key, previous]));
    return [...keys.filter((key) => this.#isActive(key)), ...keys.filter((key) => !this.#isActive(key))];
  }

  #isActive({ activeFrom }: SigningKey): boolean {
    return activeFrom === undefined || activeFrom.getTime() <= this.#now();
  }

  #isRefused(key: SigningKey): boolean {
    const atMs = this.#refusedAtMs.get(key);
    return atMs !== undefined && this.#monotonicMs() - atMs < REFUSAL_MEMORY_MS;
  }

  #slotOf(key: SigningKey): number {
    return this.#slots.findIndex((slot) => slot.key === key || slot.previous === key);
  }

  #plan(): void {
    const waiting = this.#slots.map(({ key }) => key).filter((key) => !this.#isActive(key));
    this.#nextActivationMs = Math.min(...waiting.map(({ activeFrom }) => activeFrom?.getTime() ?? 0));
  }

  #change(reason: KeyChange['reason'], current: SigningKey, retired: SigningKey | undefined): void {
    const previous = this.#current;
    this.#current = current;
    if (current !== previous) this.#generation += 1;
    this.#listeners.tell({
      reason,
      previous,
      current,
      ...(retired === undefined ? {} : { retired }),
      generation: this.#generation,
    });
  }
}
