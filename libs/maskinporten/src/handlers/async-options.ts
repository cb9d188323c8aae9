import type { FactoryProvider, InjectionToken, ModuleMetadata, Provider, Type } from '@nestjs/common';
import { configurationError } from '../errors/index.js';

/**
 * Options of a module that are known only when the application starts: one of `useFactory`, `useClass` and
 * `useExisting` gives them.
 */
export interface AsyncOptions<Options, Factory> extends Pick<ModuleMetadata, 'imports'> {
  readonly inject?: FactoryProvider['inject'];
  readonly useFactory?: (...args: never[]) => Options | Promise<Options>;
  readonly useClass?: Type<Factory>;
  readonly useExisting?: Type<Factory>;
}

/**
 * The providers that make the options available to a module.
 *
 * @param create asks an instance of `useClass` or `useExisting`
 * @param then makes of the options what is provided. Default: the options themselves
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) when nothing gives the options
 * @example asyncOptions(OPTIONS, 'forRootAsync', options, (factory) => factory.createMaskinportenOptions())
 */
export function asyncOptions<Options, Factory>(
  provide: InjectionToken,
  method: string,
  { inject = [], useFactory, useClass, useExisting }: AsyncOptions<Options, Factory>,
  create: (factory: Factory) => Options | Promise<Options>,
  then: (options: Options) => unknown = (options) => options,
): Provider[] {
  if (useFactory !== undefined) {
    return [{ provide, inject, useFactory: async (...values: never[]) => then(await useFactory(...values)) }];
  }
  const factory = useExisting ?? useClass;
  if (factory === undefined) {
    throw configurationError([
      { field: method, code: 'MP_CONFIG', reason: 'needs useFactory, useClass or useExisting' },
    ]);
  }
  return [
    ...(useExisting === undefined ? [factory] : []),
    { provide, inject: [factory], useFactory: async (made: Factory) => then(await create(made)) },
  ];
}
