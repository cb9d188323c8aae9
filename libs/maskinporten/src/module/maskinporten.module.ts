import {
  Global,
  Module,
  type DynamicModule,
  type ModuleMetadata,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ownMembers } from '../basics/index.js';
import { moduleImported } from '../errors/index.js';
import { MaskinportenFanOut } from '../fan-out/index.js';
import { asyncOptions, type AsyncOptions } from '../handlers/index.js';
import { DEFAULT_CLIENT, ScopesCheck, getMaskinportenToken } from '../outbound/index.js';
import {
  DelegationGate,
  SystemUserCheck,
  getSystemUserServiceToken,
  type SystemUserService,
} from '../system-user/index.js';
import { CallObservers, ClientRegistry, DelegationDecisions, HealthContributors } from '../signals/index.js';
import type { MaskinportenTokenService } from '../tokens/index.js';
import { ClientRuntime, type ClientParts } from './client-runtime.js';
import type { MaskinportenOptions, MaskinportenOptionsFactory } from './maskinporten.options.js';

/** What belongs to the module rather than to the client it configures. */
export interface MaskinportenModuleExtras {
  /** Tells several clients in one application apart; see `@InjectMaskinporten(name)`. Default: the default client. */
  readonly name?: string | undefined;
  /** Make the token service injectable everywhere. Default true. */
  readonly isGlobal?: boolean | undefined;
}

export interface MaskinportenModuleAsyncOptions
  extends MaskinportenModuleExtras, AsyncOptions<MaskinportenOptions, MaskinportenOptionsFactory> {}

const SHARED = [
  ClientRegistry,
  CallObservers,
  HealthContributors,
  DelegationDecisions,
  DelegationGate,
  MaskinportenFanOut,
];

/** One per application, however many clients it has. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [...SHARED, ScopesCheck, SystemUserCheck],
  exports: SHARED,
})
class MaskinportenCoreModule {}

/**
 * Configures a Maskinporten client and makes its `MaskinportenTokenService` injectable. Import it once per client, in
 * the root module; `@Scopes` and `MaskinportenHttpModule` then work everywhere.
 *
 * @example
 * @Module({
 *   imports: [
 *     MaskinportenModule.forRoot({
 *       environment: 'test',
 *       clientId: '…',
 *       key: { file: '/run/secrets/maskinporten.pem', kid: '…' },
 *     }),
 *   ],
 * })
 * export class AppModule {}
 */
@Module({})
export class MaskinportenModule {
  /**
   * Registers a client with options that are known when the module is loaded. Wrong options refuse the start with one
   * `MP_CONFIG` error that lists every wrong field.
   */
  static forRoot(options: MaskinportenOptions & MaskinportenModuleExtras): DynamicModule {
    const { name, isGlobal, ...client } = ownMembers(options);
    return moduleOf({ name, isGlobal }, [], (provide) => [
      { provide, useFactory: () => new ClientRuntime(name ?? DEFAULT_CLIENT, client) },
    ]);
  }

  /** The same with options from `useFactory`, `useClass` or `useExisting`. */
  static forRootAsync(options: MaskinportenModuleAsyncOptions): DynamicModule {
    const own = ownMembers(options);
    const { name, isGlobal, imports = [] } = own;
    return moduleOf({ name, isGlobal }, imports, (provide) =>
      asyncOptions(
        provide,
        'forRootAsync',
        own,
        (factory) => factory.createMaskinportenOptions(),
        (client) => new ClientRuntime(name ?? DEFAULT_CLIENT, client),
      ),
    );
  }
}

function moduleOf(
  { name = DEFAULT_CLIENT, isGlobal = true }: MaskinportenModuleExtras,
  imports: NonNullable<ModuleMetadata['imports']>,
  runtimeProviders: (provide: symbol) => Provider[],
): DynamicModule {
  moduleImported();
  const runtime = Symbol(`MaskinportenRuntime(${name})`);
  const tokens = getMaskinportenToken(name);
  const systemUsers = getSystemUserServiceToken(name);
  return {
    module: MaskinportenModule,
    global: isGlobal,
    imports: [MaskinportenCoreModule, ...imports],
    providers: [
      ...runtimeProviders(runtime),
      { provide: tokens, inject: [runtime], useFactory: async (client: ClientRuntime) => client.createTokens() },
      {
        provide: systemUsers,
        inject: [runtime, tokens],
        useFactory: (client: ClientRuntime, service: MaskinportenTokenService) => client.createSystemUsers(service),
      },
      {
        provide: Symbol(`MaskinportenClient(${name})`),
        inject: [runtime, ClientRegistry, CallObservers, HealthContributors, tokens, systemUsers],
        useFactory: (
          client: ClientRuntime,
          registry: ClientParts['registry'],
          observers: CallObservers,
          contributors: HealthContributors,
          service: MaskinportenTokenService,
          users: SystemUserService,
        ): OnApplicationShutdown => {
          client.open({ registry, observers, contributors, tokens: service, systemUsers: users });
          // Not before the servers are closed: handlers that still run may need a token.
          return { onApplicationShutdown: async () => client.close() };
        },
      },
    ],
    exports: [tokens, systemUsers],
  };
}
