import {
  Inject,
  Injectable,
  Module,
  Optional,
  type DynamicModule,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ownMembers } from '../basics/index.js';
import { moduleNotImported } from '../errors/index.js';
import { ClientRegistry, DelegationDecisions, InboundCalls } from '../signals/index.js';
import { watchClient } from './client-telemetry.js';
import { DECISION, INSTRUMENTS, OUTCOME, REQUIRED_SCOPES } from './instrument.js';
import { loadOpenTelemetrySink } from './open-telemetry-sink.js';
import type { TelemetrySink } from './telemetry-sink.js';

export interface MaskinportenTelemetryOptions {
  /** Where measurements go. Default: OpenTelemetry, through `@opentelemetry/api`. */
  readonly sink?: TelemetrySink;
}

const OPTIONS = Symbol('MaskinportenTelemetryOptions');

/** Connects what can be measured with where it goes, from the start of the application to its end. */
@Injectable()
class TelemetryWatch implements OnModuleInit, OnApplicationShutdown {
  readonly #options: MaskinportenTelemetryOptions;
  readonly #clients: ClientRegistry | undefined;
  readonly #decisions: DelegationDecisions | undefined;
  readonly #inbound: InboundCalls | undefined;
  readonly #stops: (() => void)[] = [];

  constructor(
    @Inject(OPTIONS) options: MaskinportenTelemetryOptions,
    @Optional() clients?: ClientRegistry,
    @Optional() decisions?: DelegationDecisions,
    @Optional() inbound?: InboundCalls,
  ) {
    if (clients === undefined && inbound === undefined) throw moduleNotImported('MaskinportenTelemetryModule');
    this.#options = options;
    this.#clients = clients;
    this.#decisions = decisions;
    this.#inbound = inbound;
  }

  async onModuleInit(): Promise<void> {
    const sink = this.#options.sink ?? (await loadOpenTelemetrySink());
    const stops = [
      this.#decisions?.onDecision((decision) => sink.add(INSTRUMENTS.delegationDecisions, 1, { [DECISION]: decision })),
      this.#clients?.watch(({ name, tokens }) => this.#stops.push(watchClient(name, tokens, sink))),
      this.#inbound?.onCall(({ outcome, requiredScopes }) => {
        // The prefix of a scope may be an organisation's number.
        const scopes = requiredScopes.join(' ').replaceAll(/\d{9,}/g, '…');
        sink.add(INSTRUMENTS.inboundCalls, 1, { [OUTCOME]: outcome, [REQUIRED_SCOPES]: scopes });
      }),
    ];
    this.#stops.push(...stops.filter((stop) => stop !== undefined));
  }

  onApplicationShutdown(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }
}

/**
 * Spans and metrics of all Maskinporten clients of an application, of the decisions of `SystemUserGuard`, and of
 * the calls that `@RequireScope` judged. Import it once, beside `MaskinportenModule` or `MaskinportenResourceServerModule`; nothing is measured and no library is loaded without it.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) at start when there is no sink and `@opentelemetry/api` is not installed.
 * @example
 * @Module({ imports: [MaskinportenModule.forRoot(options), MaskinportenTelemetryModule] })
 * export class AppModule {}
 */
@Module({ providers: [{ provide: OPTIONS, useValue: {} }, TelemetryWatch] })
export class MaskinportenTelemetryModule {
  /** The module with a sink of your own. */
  static forRoot(options: MaskinportenTelemetryOptions): DynamicModule {
    return { module: MaskinportenTelemetryModule, providers: [{ provide: OPTIONS, useValue: ownMembers(options) }] };
  }
}
