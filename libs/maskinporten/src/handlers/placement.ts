// Longer than 250 lines: every way in which a decorator can be without effect, so that they can be read against each other.
import type { Type } from '@nestjs/common';
import type { ConfigurationFailures } from '../errors/index.js';
import type { ApplicationClass } from './application-class.js';
import type { DecoratorUses } from './decorator-uses.js';
import { bypassOf, handlerKind } from './handler-kind.js';
import { readMetadata } from './read-metadata.js';
import { unguarded } from './unguarded.decorator.js';

/** A decorator that has an effect only where Nest calls the method through an enhancer of ours. */
export interface CheckedDecorator<Value> {
  /** With its `@`. */
  readonly name: string;
  readonly uses: DecoratorUses<Value>;
  /** Under which a decorated function or class holds the value. */
  readonly metadataKey: string;
  /** What does the work, where Nest keeps it, and what GraphQL calls its kind. */
  readonly enhancer: {
    readonly type: Type;
    readonly metadataKey: '__guards__' | '__interceptors__';
    readonly kind: 'guards' | 'interceptors';
  };
  /** What to do where no handler is: a sentence. */
  readonly remedy: string;
}

/** A use that has an effect. */
export interface FoundUse<Value> {
  /** `Class.method`, or the class. */
  readonly where: string;
  readonly value: Value;
  /** What metadata is read from, as a `Reflector` does it. */
  readonly targets: readonly [object, ...object[]];
}

type Member = string | symbol;

/** Where a member was declared with a value. */
interface Declaration<Value> {
  readonly value: Value;
  readonly owner: object;
}

/**
 * Looks at the methods that will really be called: each must still carry what was declared for it, and be called by
 * something that runs guards and interceptors. A safety decorator that has no effect refuses the start.
 */
export class Placement<Value> {
  readonly #decorator: CheckedDecorator<Value>;
  readonly #fieldEnhancers: ReadonlySet<string>;
  readonly #failures: ConfigurationFailures;

  constructor(
    decorator: CheckedDecorator<Value>,
    fieldEnhancers: ReadonlySet<string>,
    failures: ConfigurationFailures,
  ) {
    this.#decorator = decorator;
    this.#fieldEnhancers = fieldEnhancers;
    this.#failures = failures;
  }

  /** Reports what has no effect, and returns what has. */
  check(classes: readonly ApplicationClass[]): FoundUse<Value>[] {
    return classes.flatMap((each) => [...this.#checkClass(each), ...this.#checkMembers(each)]);
  }

  #checkClass(each: ApplicationClass): FoundUse<Value>[] {
    const declared = each.chain.map((prototype) => this.#decorator.uses.ofClass(prototype)).find(isDefined);
    const [effective, ...others] = each.classes.map((one) => this.#valueOn(one));
    if (others.some((other) => other !== effective)) {
      this.#refuse(
        each.name,
        'its prototype names another class as its constructor, as mixins and proxies of classes do it, and only one of the two has it: write it on each handler',
      );
      return [];
    }
    if (declared !== undefined && declared !== effective) {
      this.#refuse(
        each.name,
        'another decorator or base class has lost it: write it on this class, above every other decorator',
      );
      return [];
    }
    if (effective === undefined) return [];
    const members = membersOf(each);
    const handlers = members.filter((member) => this.#isHandler(each, member));
    if (handlers.length === 0 && members.length > 0) {
      this.#refuse(each.name, `no method of this class is a handler that Nest guards. ${this.#decorator.remedy}`);
      return [];
    }
    if (!this.#isClassEnhanced(each)) {
      this.#refuse(each.name, `the ${this.#decorator.enhancer.type.name} that it brings has been taken from the class`);
      return [];
    }
    return [
      { where: each.name, value: effective, targets: [each.constructor] },
      ...handlers.flatMap((member) => this.#checkCovered(each, member, effective)),
    ];
  }

  /** A handler that a use on its class stands for. */
  #checkCovered(each: ApplicationClass, member: Member, value: Value): FoundUse<Value>[] {
    const method = methodOf(each, member);
    if (method === undefined || this.#declarationOf(each, member) !== undefined) return [];
    const where = nameOf(each, member);
    if (!isUnguarded(each, member)) {
      const bypass = bypassOf(each, member, method);
      if (bypass !== undefined) this.#refuse(where, bypassed(bypass, this.#decorator.remedy));
      else if (handlerKind(each, member, method) === 'field') this.#checkField(where);
    }
    return [{ where, value, targets: [method, each.constructor] }];
  }

  #isHandler(each: ApplicationClass, member: Member): boolean {
    const method = methodOf(each, member);
    return method !== undefined && handlerKind(each, member, method) !== 'none';
  }

  #checkMembers(each: ApplicationClass): FoundUse<Value>[] {
    for (const member of this.#staticMembers(each)) {
      this.#refuse(`static ${nameOf(each, member)}`, `Nest does not call static members. ${this.#decorator.remedy}`);
    }
    const members = new Set([
      ...each.chain.flatMap((owner) => this.#decorator.uses.members(owner)),
      ...membersOf(each),
    ]);
    return [...members].flatMap((member) => this.#checkMember(each, member));
  }

  #checkMember(each: ApplicationClass, member: Member): FoundUse<Value>[] {
    const declaration = this.#declarationOf(each, member);
    if (declaration === undefined) {
      this.#checkCopied(each, member);
      return [];
    }
    const where = nameOf(each, member);
    const reason = this.#whyWithoutEffect(each, member, declaration);
    if (reason !== undefined) {
      this.#refuse(where, reason);
      return [];
    }
    const method = methodOf(each, member) as object;
    return [{ where, value: declaration.value, targets: [method, each.constructor] }];
  }

  /** A handler that came here from a decorated class by copying, as mixins and class decorators do it. */
  #checkCopied(each: ApplicationClass, member: Member): void {
    const method = methodOf(each, member);
    if (method === undefined || this.#decorator.uses.ofMethod(method) === undefined) return;
    // What the class itself or its base has lost is reported for the class.
    const isOwn = each.chain.some((prototype) => this.#decorator.uses.ofClass(prototype) !== undefined);
    if (isOwn || each.classes.some((one) => this.#valueOn(one) !== undefined)) return;
    if (isUnguarded(each, member)) return;
    if (handlerKind(each, member, method) === 'none') return;
    const { name } = this.#decorator;
    this.#refuse(
      nameOf(each, member),
      `it comes from a class with ${name}, and this class has none: repeat ${name} here`,
    );
  }

  /** The nearest of what was declared for a member; undefined when nothing was, or when an override does without. */
  #declarationOf(each: ApplicationClass, member: Member): Declaration<Value> | undefined {
    for (const owner of each.chain) {
      const value = this.#decorator.uses.ofMember(owner, member);
      if (value !== undefined) return { value, owner };
      if (unguarded.ofMember(owner, member) !== undefined) return undefined;
    }
    // A method that was copied from another class brings its metadata along.
    const method = methodOf(each, member);
    const value = method === undefined ? undefined : this.#valueOn(method);
    return value === undefined ? undefined : { value, owner: ownerOf(each, member) ?? each.constructor };
  }

  #whyWithoutEffect(each: ApplicationClass, member: Member, { value, owner }: Declaration<Value>): string | undefined {
    const { name, remedy } = this.#decorator;
    if (unguarded.ofMember(owner, member) !== undefined) return '@Unguarded says the opposite: remove one of the two';
    const method = methodOf(each, member);
    if (method === undefined) return `it is not a method, so Nest does not call it. ${remedy}`;
    if (each.instances.some((instance) => this.#isReplaced(instance, member, method, value))) {
      return `the instance has a member of its own in place of the method, which lost ${name}: leave the method on the class`;
    }
    if (this.#valueOn(method) !== value) return this.#whyLost(each, member, owner);
    if (!this.#isEnhanced(method) && !this.#isClassEnhanced(each)) {
      return `the ${this.#decorator.enhancer.type.name} that it brings has been taken from the method: ${ABOVE}`;
    }
    const bypass = bypassOf(each, member, method);
    if (bypass !== undefined) return bypassed(bypass, remedy);
    const kind = handlerKind(each, member, method);
    if (kind === 'field') return this.#whyNotField();
    if (kind === 'guarded') return undefined;
    return `this method is not a handler that Nest guards, so nothing would be checked. ${remedy}`;
  }

  /** Nest reads guards from what the instance gives it under the name of the method, which may be another function. */
  #isReplaced(instance: object, member: Member, method: object, value: Value): boolean {
    const seen = seenOn(instance, member);
    if (seen === method) return false;
    return typeof seen !== 'function' || this.#valueOn(seen) !== value || !this.#isEnhanced(seen);
  }

  #whyLost(each: ApplicationClass, member: Member, owner: object): string {
    const { name } = this.#decorator;
    const overriding = ownerOf(each, member);
    return overriding === owner
      ? `another decorator puts another function in its place, which lost ${name}: ${ABOVE}`
      : `it overrides a method with ${name} and lost that: repeat ${name} on the override, or say @Unguarded('why')`;
  }

  #checkField(where: string): void {
    const reason = this.#whyNotField();
    if (reason !== undefined) this.#refuse(where, `${reason}; or say @Unguarded('why') on this field`);
  }

  #whyNotField(): string | undefined {
    const { kind } = this.#decorator.enhancer;
    if (this.#fieldEnhancers.has(kind)) return undefined;
    return `GraphQL runs no ${kind} around field resolvers: set fieldResolverEnhancers: ['${kind}'] in GraphQLModule.forRoot, or move it to the query`;
  }

  #staticMembers({ constructor }: ApplicationClass): readonly Member[] {
    const members: Member[] = [];
    for (
      let each: object | null = constructor;
      typeof each === 'function';
      each = Object.getPrototypeOf(each) as object
    ) {
      members.push(...this.#decorator.uses.members(each));
    }
    return members;
  }

  #valueOn(target: object): Value | undefined {
    return readMetadata(this.#decorator.metadataKey, target) as Value | undefined;
  }

  #isClassEnhanced({ classes }: ApplicationClass): boolean {
    return classes.every((each) => this.#isEnhanced(each));
  }

  #isEnhanced(target: object): boolean {
    const { type, metadataKey } = this.#decorator.enhancer;
    const enhancers = readMetadata(metadataKey, target);
    return Array.isArray(enhancers) && enhancers.some((each) => each === type || each instanceof type);
  }

  #refuse(where: string, reason: string): void {
    this.#failures.add(`${this.#decorator.name} on ${where}`, reason);
  }
}

const ABOVE = 'write it above every decorator that wraps the method';

const bypassed = (bypass: string, remedy: string): string => `${bypass} is called without guards. ${remedy}`;

const isDefined = <T>(value: T | undefined): value is T => value !== undefined;

const nameOf = ({ name }: ApplicationClass, member: Member): string => `${name}.${String(member)}`;

/** All that has a name, without calling an accessor. */
const membersOf = ({ chain }: ApplicationClass): readonly Member[] => [
  ...new Set(chain.flatMap((prototype) => Reflect.ownKeys(prototype)).filter((name) => name !== 'constructor')),
];

const ownerOf = ({ chain }: ApplicationClass, member: Member): object | undefined =>
  chain.find((prototype) => Object.getOwnPropertyDescriptor(prototype, member) !== undefined);

/** The function that Nest finds under this name. */
function methodOf(each: ApplicationClass, member: Member): object | undefined {
  const owner = ownerOf(each, member);
  const value: unknown = owner === undefined ? undefined : Object.getOwnPropertyDescriptor(owner, member)?.value;
  return typeof value === 'function' ? value : undefined;
}

/**
 * What an instance gives for a method of its class: a member of its own, or whatever a proxy answers with. Calls no
 * accessor; undefined when there is one, and when a proxy does not say it.
 */
function seenOn(instance: object, member: Member): unknown {
  try {
    const own = Object.getOwnPropertyDescriptor(instance, member);
    return own !== undefined && !Object.hasOwn(own, 'value') ? undefined : (Reflect.get(instance, member) as unknown);
  } catch {
    return undefined;
  }
}

/** Is the member, where it is overridden last, said to do without? */
function isUnguarded(each: ApplicationClass, member: Member): boolean {
  const owner = ownerOf(each, member);
  return owner !== undefined && unguarded.ofMember(owner, member) !== undefined;
}
