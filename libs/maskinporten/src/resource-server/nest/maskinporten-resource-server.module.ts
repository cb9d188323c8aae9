import {
  Injectable,
  Logger,
  Module,
  Optional,
  type DynamicModule,
  type ModuleMetadata,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import { DiscoveryModule, Reflector } from '@nestjs/core';
import { ownMembers } from '../../basics/index.js';
import { FIRST_GUARD, asyncOptions, type AsyncOptions } from '../../handlers/index.js';
import { HealthContributors, InboundCalls } from '../../signals/index.js';
import type { KeysStatus } from '../verification/issuer-keys.js';
import type { ResourceServerOptions } from '../verification/resource-server-options.js';
import { ResourceServer } from '../verification/resource-server.js';
import { InboundGate } from './inbound-gate.js';
import { ResourceServerCheck } from './resource-server-check.js';
import { firstGuard } from './resource-server.guard.js';
import { RightGate } from './right-gate.js';

export interface MaskinportenResourceServerOptionsFactory {
  createMaskinportenResourceServerOptions(): ResourceServerOptions | Promise<ResourceServerOptions>;
}

export type MaskinportenResourceServerAsyncOptions = AsyncOptions<
  ResourceServerOptions,
  MaskinportenResourceServerOptionsFactory
>;

const OPTIONS = Symbol('MaskinportenResourceServerOptions');
const logger = new Logger('MaskinportenResourceServer');

/** Says how the keys of the issuer are, and closes the connections to it at the end. */
@Injectable()
class ResourceServerLife implements OnApplicationShutdown {
  readonly #server: ResourceServer;
  readonly #stop: (() => void) | undefined;

  constructor(server: ResourceServer, @Optional() contributors?: HealthContributors) {
    this.#server = server;
    this.#stop = contributors?.add({
      name: 'resource-server',
      report: () => {
        const { state, ...details } = server.keysStatus;
        // An outage that all replicas share makes none of them unready.
        return { status: state === 'up' || state === 'unknown' ? 'up' : 'degraded', details: { state, ...details } };
      },
    });
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stop?.();
    await this.#server.close();
  }
}

/**
 * For an API that Maskinporten protects: verifies the tokens that others send, for `@RequireScope` and its like. It needs
 * no `MaskinportenModule`, since who offers an API need not be a client. Import it once, in the root module; it is global.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) at start that lists every wrong option, and every decorator that
 *   has no effect or cannot be met
 * @example
 * MaskinportenResourceServerModule.forRoot({ environment: 'test', scopePrefixes: ['acme'] });
 */
@Module({})
export class MaskinportenResourceServerModule {
  static forRoot(options: ResourceServerOptions): DynamicModule {
    return moduleOf([{ provide: OPTIONS, useValue: options }], []);
  }

  /** The same with options from `useFactory`, `useClass` or `useExisting`. */
  static forRootAsync(options: MaskinportenResourceServerAsyncOptions): DynamicModule {
    const own = ownMembers(options);
    const made = asyncOptions(OPTIONS, 'forRootAsync', own, (factory) =>
      factory.createMaskinportenResourceServerOptions(),
    );
    return moduleOf(made, own.imports ?? []);
  }
}

function moduleOf(options: Provider[], imports: NonNullable<ModuleMetadata['imports']>): DynamicModule {
  return {
    module: MaskinportenResourceServerModule,
    global: true,
    imports: [DiscoveryModule, ...imports],
    providers: [
      ...options,
      {
        provide: ResourceServer,
        inject: [OPTIONS],
        useFactory: (given: ResourceServerOptions) => new ResourceServer(given, { onKeysState: logState }),
      },
      InboundCalls,
      RightGate,
      InboundGate,
      ResourceServerCheck,
      ResourceServerLife,
      {
        provide: FIRST_GUARD,
        inject: [Reflector, InboundGate],
        useFactory: firstGuard,
      },
    ],
    exports: [ResourceServer, InboundCalls, InboundGate, FIRST_GUARD],
  };
}

/** One line for each change, for those who operate the API. */
function logState({ state, keys, fetchedAt, lastError }: KeysStatus): void {
  const facts = { state, keys, fetchedAt: fetchedAt?.toISOString(), lastError };
  if (state === 'up') logger.log({ message: 'keys of the issuer are known', ...facts });
  else if (state === 'degraded') logger.warn({ message: 'keys of the issuer are stale: it does not answer', ...facts });
  else logger.error({ message: 'keys of the issuer are not known: every token is answered with 503', ...facts });
}
