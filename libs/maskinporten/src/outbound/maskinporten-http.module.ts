import { HttpService } from '@nestjs/axios';
import {
  Module,
  type DynamicModule,
  type ModuleMetadata,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import axios, { type AxiosInstance, type CreateAxiosDefaults } from 'axios';
import { ownMembers } from '../basics/index.js';
import { asyncOptions, type AsyncOptions } from '../handlers/index.js';
import { ClientRegistry } from '../signals/index.js';
import { attachClients, type Attachment } from './attach-maskinporten.js';
import type { InstanceDefaults } from './call-options.js';
import { DEFAULT_CLIENT, requireClients, type OutboundClient } from './outbound-client.js';
import { isUnlimited } from './outbound-policy.js';
import { MaskinportenHttpService } from './maskinporten-http.service.js';
import type { ScopesInput } from './token-context.js';

/** What `axios.create` takes, and how this instance asks for tokens. */
export interface MaskinportenHttpOptions extends Omit<CreateAxiosDefaults, 'maskinporten'> {
  /** Client of this instance, and limits; a token request here is for calls that have no context. */
  readonly maskinporten?: ScopesInput | InstanceDefaults;
}

export interface MaskinportenHttpOptionsFactory {
  createMaskinportenHttpOptions(): MaskinportenHttpOptions | Promise<MaskinportenHttpOptions>;
}

export type MaskinportenHttpAsyncOptions = AsyncOptions<MaskinportenHttpOptions, MaskinportenHttpOptionsFactory>;

const HTTP_OPTIONS = Symbol('MaskinportenHttpOptions');

/** The axios instance of one `MaskinportenHttpModule`, from its creation to the end of the application. */
class AttachedInstance implements OnModuleInit, OnApplicationShutdown {
  readonly axios: AxiosInstance;
  readonly #clients: ClientRegistry<OutboundClient>;
  readonly #client: string;
  readonly #attachment: Attachment;

  constructor(options: MaskinportenHttpOptions, clients: ClientRegistry<OutboundClient>) {
    const { maskinporten, ...config } = ownMembers(options);
    const named =
      typeof maskinporten === 'object' ? ownMembers(maskinporten as { readonly client?: string }).client : undefined;
    this.#clients = clients;
    this.#client = named ?? DEFAULT_CLIENT;
    // 0 is no limit here, and -1 looks like axios's own default (F-146).
    if (isUnlimited(config.maxContentLength)) config.maxContentLength = Infinity;
    this.axios = axios.create(config);
    this.#attachment = attachClients(this.axios, (name) => clients.get(name ?? this.#client), maskinporten);
  }

  /** Refuses the start instead of the first call when there is no such client. */
  onModuleInit(): void {
    this.#clients.get(this.#client);
  }

  /**
   * Not before the servers are closed: handlers that still run need tokens. Closed, not detached: what outlives the
   * application – a timer, a queue – must not begin to call without a token (F-144).
   */
  onApplicationShutdown(): void {
    this.#attachment.close();
  }
}

/**
 * Gives the importing module an `HttpService` – also called `MaskinportenHttpService` – whose calls carry tokens. Each
 * `register` has an axios instance of its own.
 *
 * @example
 * @Module({ imports: [MaskinportenHttpModule.register({ baseURL: 'https://api.example.no' })], controllers: [ClaimsController] })
 * export class ClaimsModule {}
 */
@Module({})
export class MaskinportenHttpModule {
  /** @param config options of `axios.create`, and `maskinporten` for the client, limits and a default request */
  static register(config: MaskinportenHttpOptions = {}): DynamicModule {
    return moduleOf([], [{ provide: HTTP_OPTIONS, useFactory: () => config }]);
  }

  /** The same with options that are only known when the application starts. */
  static registerAsync(options: MaskinportenHttpAsyncOptions): DynamicModule {
    const own = ownMembers(options);
    const provided = asyncOptions(HTTP_OPTIONS, 'registerAsync', own, (factory) =>
      factory.createMaskinportenHttpOptions(),
    );
    return moduleOf(own.imports ?? [], provided);
  }
}

function moduleOf(imports: NonNullable<ModuleMetadata['imports']>, options: readonly Provider[]): DynamicModule {
  return {
    module: MaskinportenHttpModule,
    imports,
    providers: [
      ...options,
      {
        provide: AttachedInstance,
        inject: [HTTP_OPTIONS, { token: ClientRegistry, optional: true }],
        useFactory: (config: MaskinportenHttpOptions, clients: ClientRegistry<OutboundClient> | undefined) =>
          new AttachedInstance(config, requireClients(clients, 'MaskinportenHttpModule')),
      },
      {
        provide: MaskinportenHttpService,
        inject: [AttachedInstance],
        useFactory: (attached: AttachedInstance) => new MaskinportenHttpService(attached.axios),
      },
      { provide: HttpService, useExisting: MaskinportenHttpService },
    ],
    exports: [MaskinportenHttpService, HttpService],
  };
}
