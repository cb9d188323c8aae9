import type { ModulesContainer } from '@nestjs/core';

/** A class of which the container holds an instance, or will make one for each request. */
export interface ApplicationClass {
  readonly name: string;
  /** What Nest reads class metadata from. */
  readonly constructor: object;
  /** Its prototype and those above it, without `Object.prototype`. */
  readonly chain: readonly object[];
  /** As far as they exist already: those of request-scoped classes are placeholders. */
  readonly instances: readonly object[];
  readonly isController: boolean;
}

interface Wrapper {
  readonly metatype?: unknown;
  readonly instance?: unknown;
  readonly isAlias?: boolean;
  readonly isNotMetatype?: boolean;
}

/** Everything that the modules of this application hold: controllers, providers of every form, guards and their like. */
export function applicationClasses(modules: ModulesContainer): readonly ApplicationClass[] {
  const found = new Map<object, ApplicationClass>();
  for (const module of modules.values()) {
    const wrappers = [
      ...[...module.controllers.values()].map((wrapper) => ({ wrapper, isController: true })),
      ...[...module.providers.values(), ...module.injectables.values()].map((wrapper) => ({
        wrapper,
        isController: false,
      })),
    ];
    for (const { wrapper, isController } of wrappers) {
      const each = classOf(wrapper, isController);
      const [prototype] = each?.chain ?? [];
      if (each === undefined || prototype === undefined) continue;
      const known = found.get(prototype);
      found.set(prototype, {
        ...each,
        instances: [...(known?.instances ?? []), ...each.instances],
        isController: isController || known?.isController === true,
      });
    }
  }
  return [...found.values()];
}

function classOf({ metatype, instance, isAlias }: Wrapper, isController: boolean): ApplicationClass | undefined {
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
    const name: unknown = valueOf(constructor, 'name');
    return {
      name: typeof name === 'string' && name !== '' ? name : 'a class without a name',
      constructor,
      chain,
      instances: made === undefined ? [] : [made],
      isController,
    };
  } catch {
    // A proxy that refuses to be looked at: Nest finds no handler on it either.
    return undefined;
  }
}

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
