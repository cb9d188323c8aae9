/** A member of a class as decorators name it: of the prototype, or of the constructor when it is static. */
type Member = string | symbol;

type Decorator = ClassDecorator & MethodDecorator;

/**
 * Where a decorator was written, by prototype and name. Metadata on a function is lost when another decorator or a
 * subclass puts another function in its place; this is not, so that the loss can be noticed when the application starts.
 */
export class DecoratorUses<Value> {
  readonly #members = new WeakMap<object, Map<Member, Value>>();
  readonly #classes = new WeakMap<object, Value>();
  /** The methods that a class had when it was decorated: they may be copied into another class. */
  readonly #covered = new WeakMap<object, Value>();

  /** A decorator that records where it was written, and does nothing more on what is not a class or a method. */
  decorator(value: Value, decorate: Decorator): Decorator {
    return (target: object, member?: Member, descriptor?: { readonly value?: unknown }) => {
      this.record(target, member, value);
      // Nest's own decorators fail on an accessor or a field with a message about `undefined`.
      if (member !== undefined && typeof descriptor?.value !== 'function') return;
      Reflect.apply(decorate, undefined, member === undefined ? [target] : [target, member, descriptor]);
    };
  }

  /** @param target as a decorator gets it: a prototype, or a class when `member` is undefined or static */
  record(target: object, member: Member | undefined, value: Value): void {
    if (member === undefined) {
      const prototype: unknown = Reflect.get(target, 'prototype');
      if (typeof prototype !== 'object' || prototype === null) return;
      this.#classes.set(prototype, value);
      for (const { value: method } of Object.values(Object.getOwnPropertyDescriptors(prototype))) {
        if (typeof method === 'function' && method !== target) this.#covered.set(method as object, value);
      }
      return;
    }
    const members = this.#members.get(target) ?? new Map<Member, Value>();
    this.#members.set(target, members.set(member, value));
  }

  ofMember(target: object, member: Member): Value | undefined {
    return this.#members.get(target)?.get(member);
  }

  ofClass(prototype: object): Value | undefined {
    return this.#classes.get(prototype);
  }

  /** What the class said from which a method comes. */
  ofMethod(method: object): Value | undefined {
    return this.#covered.get(method);
  }

  members(target: object): readonly Member[] {
    return [...(this.#members.get(target)?.keys() ?? [])];
  }
}
