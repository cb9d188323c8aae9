import {
  Global,
  Module,
  type DynamicModule,
  type FactoryProvider,
  type ModuleMetadata,
  type OnApplicationShutdown,
  type Provider,
  type Type,
} from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { CallObservers, DelegationDecisions, HealthContributors, TokenServices } from './signals/index.js';
import { ownMembers } from './basics/index.js';
import type { ClientAltinn } from './client-altinn.js';
import type { ClientSigners } from './client-signers.js';
import { ClientSettings } from './client-settings.js';
import { configurationError, moduleImported } from './errors/index.js';
import type { MaskinportenOptions, MaskinportenOptionsFactory } from './maskinporten.options.js';
import {
  DEFAULT_CLIENT,
  MaskinportenClients,
  ScopesCheck,
  getMaskinportenToken,
  type MaskinportenClient,
} from './outbound/index.js';
import { DelegationGate, SystemUserCheck, SystemUserServices, getSystemUserServiceToken } from './system-user/index.js';
import { type MaskinportenTokenService } from './tokens/index.js';

/** What belongs to the module rather than to the client it configures. */
export interface MaskinportenModuleExtras {
  /** Tells several clients in one application apart; see `@InjectMaskinporten(name)`. Default: the default client. */
  readonly name?: string;
  /** Make the token service injectable everywhere. Default true. */
  readonly isGlobal?: boolean;
}

export interface MaskinportenModuleAsyncOptions extends MaskinportenModuleExtras, Pick<ModuleMetadata, 'imports'> {
  readonly inject?: FactoryProvider['inject'];
  readonly useFactory?: (...args: never[]) => MaskinportenOptions | Promise<MaskinportenOptions>;
  readonly useClass?: Type<MaskinportenOptionsFactory>;
  readonly useExisting?: Type<MaskinportenOptionsFactory>;
}

/** One per application, however many clients it has. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    MaskinportenClients,
    ScopesCheck,
    TokenServices,
    HealthContributors,
    DelegationDecisions,
    SystemUserServices,
    DelegationGate,
    SystemUserCheck,
    { provide: CallObservers, inject: [MaskinportenClients], useFactory: ({ calls }: MaskinportenClients) => calls },
  ],
  exports: [
    MaskinportenClients,
    TokenServices,
    HealthContributors,
    DelegationDecisions,
    SystemUserServices,
    DelegationGate,
    CallObservers,
  ],
})
class MaskinportenCoreModule {}

/** Puts a client into the registry, and ends it with the application. */
class RegisteredClient implements OnApplicationShutdown {
  readonly #clients: MaskinportenClients;
  readonly #services: TokenServices;
  readonly #client: MaskinportenClient;
  readonly #tokens: MaskinportenTokenService;
  readonly #altinn: ClientAltinn;
  readonly #signers: ClientSigners;

  constructor(
    clients: MaskinportenClients,
    services: TokenServices,
    contributors: HealthContributors,
    { name, destinations, altinn, signers }: ClientSettings,
    tokens: MaskinportenTokenService,
  ) {
    this.#altinn = altinn;
    this.#signers = signers;
    signers.reportTo(contributors);
    this.#clients = clients;
    this.#services = services;
    this.#tokens = tokens;
    this.#client = { name, tokens, destinations };
    clients.register(this.#client);
    services.add(name, tokens);
  }

  /** Not before the servers are closed: handlers that still run may need a token. */
  async onApplicationShutdown(): Promise<void> {
    this.#clients.unregister(this.#client);
    this.#services.remove(this.#client.name, this.#tokens);
    await this.#tokens.close();
    await this.#altinn.close();
    await this.#signers.close();
  }
}

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
      { provide, useFactory: () => new ClientSettings(name ?? DEFAULT_CLIENT, client) },
    ]);
  }

  /** The same with options from `useFactory`, `useClass` or `useExisting`. */
  static forRootAsync(options: MaskinportenModuleAsyncOptions): DynamicModule {
    const own = ownMembers(options);
    const { name, isGlobal, imports = [] } = own;
    return moduleOf({ name, isGlobal }, imports, (provide) => asyncSettings(provide, name ?? DEFAULT_CLIENT, own));
  }
}

function moduleOf(
  { name = DEFAULT_CLIENT, isGlobal = true }: { name: string | undefined; isGlobal: boolean | undefined },
  imports: NonNullable<ModuleMetadata['imports']>,
  settingsProviders: (provide: symbol) => Provider[],
): DynamicModule {
  moduleImported();
  const settings = Symbol(`MaskinportenSettings(${name})`);
  const tokens = getMaskinportenToken(name);
  const systemUsers = getSystemUserServiceToken(name);
  return {
    module: MaskinportenModule,
    global: isGlobal,
    imports: [MaskinportenCoreModule, ...imports],
    providers: [
      ...settingsProviders(settings),
      { provide: tokens, inject: [settings], useFactory: async (made: ClientSettings) => made.createTokens() },
      {
        provide: Symbol(`MaskinportenClient(${name})`),
        inject: [MaskinportenClients, TokenServices, HealthContributors, settings, tokens],
        useFactory: (
          clients: MaskinportenClients,
          services: TokenServices,
          contributors: HealthContributors,
          made: ClientSettings,
          service: MaskinportenTokenService,
        ) => new RegisteredClient(clients, services, contributors, made, service),
      },
      {
        provide: systemUsers,
        inject: [SystemUserServices, settings, tokens],
        useFactory: (services: SystemUserServices, { altinn }: ClientSettings, service: MaskinportenTokenService) => {
          const made = altinn.createSystemUsers(service);
          services.register(name, { service: made, allowAnyCaller: altinn.allowAnyCaller });
          return made;
        },
      },
    ],
    exports: [tokens, systemUsers],
  };
}

function asyncSettings(provide: symbol, name: string, options: MaskinportenModuleAsyncOptions): Provider[] {
  const { useFactory, useClass, useExisting, inject = [] } = options;
  if (useFactory !== undefined) {
    return [
      {
        provide,
        inject,
        useFactory: async (...values: never[]) => new ClientSettings(name, await useFactory(...values)),
      },
    ];
  }
  const factory = useExisting ?? useClass;
  if (factory === undefined) {
    throw configurationError([
      { field: 'forRootAsync', code: 'MP_CONFIG', reason: 'needs useFactory, useClass or useExisting' },
    ]);
  }
  return [
    ...(useExisting === undefined ? [factory] : []),
    {
      provide,
      inject: [factory],
      useFactory: async (made: MaskinportenOptionsFactory) =>
        new ClientSettings(name, await made.createMaskinportenOptions()),
    },
  ];
}
