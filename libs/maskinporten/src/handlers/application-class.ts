import type { ModulesContainer } from '@nestjs/core';

/** A class of which the container holds an instance, or will make one for each request. */
export interface ApplicationClass {
  readonly name: string;
  readonly constructor: object;
  /**
   * What Nest reads class metadata from: the class that it made the instance of (12), and what the prototype names as its
   * constructor (11). They differ where a mixin copies `constructor`, or a class decorator returns a proxy.
   */
  readonly classes: readonly [object, ...object[]];
  /** Its prototype and those above it, without `Object.prototype`. */
  readonly chain: readonly object[];
  /** As far as they exist already: those of request-scoped classes are placeholders. */
  readonly instances: readonly object[];
  /** What Nest looks for routes and messages in. */
  readonly isController: boolean;
  /** What gateways and resolvers are looked for in. */
  readonly isProvider: boolean;
}

interface Wrapper {
  readonly metatype?: unknown;
  readonly instance?: unknown;
  readonly isAlias?: boolean;
  readonly isNotMetatype?: boolean;
}

/** Everything that the modules of this application hold: controllers, providers of every form, guards, middleware and their like. */
export function applicationClasses(modules: ModulesContainer): readonly ApplicationClass[] {
  const found = new Map<object, ApplicationClass>();
  for (const module of modules.values()) {
    const wrappers = [
      ...[...module.controllers.values()].map((wrapper) => ({ wrapper, isController: true, isProvider: false })),
      ...[...module.providers.values()].map((wrapper) => ({ wrapper, isController: false, isProvider: true })),
      ...[...module.injectables.values(), ...module.middlewares.values()].map((wrapper) => ({
        wrapper,
        isController: false,
        isProvider: false,
      })),
    ];
    for (const { wrapper, ...held } of wrappers) {
      const each = classOf(wrapper);
      const [prototype] = each?.chain ?? [];
      if (each === undefined || prototype === undefined) continue;
      const known = found.get(prototype);
      found.set(prototype, {
        ...each,
        classes: known === undefined ? each.classes : together(each.classes, known.classes),
        instances: [...(known?.instances ?? []), ...each.instances],
        isController: held.isController || known?.isController === true,
        isProvider: held.isProvider || known?.isProvider === true,
      });
    }
  }
  return [...found.values()];
}

function classOf({
  metatype,
  instance,
  isAlias,
}: Wrapper): Omit<ApplicationClass, 'isController' | 'isProvider'> | undefined {
  if (isAlias === true) return undefined;
  try {
    const made = typeof instance === 'object' && instance !== null ? instance : undefined;
    // Of a factory the type is the factory itself, so what it made comes first.
    const prototype: unknown = made === undefined ? prototypeOf(metatype) : Object.getPrototypeOf(made);
    if (typeof prototype !== 'object' || prototype === null) return undefined;
    const chain = chainOf(prototype);
    const constructor: unknown = valueOf(prototype, 'constructor');
    if (chain.length === 0 || typeof constructor !== 'function') return undefined;
    for (const each of chain) Reflect.ownKeys(each);
    const isMetatype = isClassOf(metatype, prototype);
    const name: unknown = valueOf(isMetatype ? metatype : constructor, 'name');
    return {
      name: typeof name === 'string' && name !== '' ? name : 'a class without a name',
      constructor,
      classes: isMetatype && metatype !== constructor ? [constructor, metatype] : [constructor],
      chain,
      instances: made === undefined ? [] : [made],
    };
  } catch {
    // A proxy that refuses to be looked at: Nest finds no handler on it either.
    return undefined;
  }
}

const together = (
  [first, ...rest]: ApplicationClass['classes'],
  others: readonly object[],
): ApplicationClass['classes'] => [first, ...new Set([...rest, ...others].filter((each) => each !== first))];

const isClassOf = (metatype: unknown, prototype: object): metatype is object =>
  typeof metatype === 'function' && valueOf(metatype, 'prototype') === prototype;

const prototypeOf = (metatype: unknown): unknown =>
  typeof metatype === 'function' ? valueOf(metatype, 'prototype') : undefined;

function chainOf(prototype: object): readonly object[] {
  const chain: object[] = [];
  for (let each: object | null = prototype; each !== null && each !== Object.prototype;) {
    chain.push(each);
    each = Object.getPrototypeOf(each) as object | null;
  }
  return chain;
}

/** Never calls an accessor. */
function valueOf(target: object, name: string): unknown {
  for (let each: object | null = target; each !== null; each = Object.getPrototypeOf(each) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(each, name);
    if (descriptor !== undefined) return descriptor.value;
  }
  return undefined;
}
