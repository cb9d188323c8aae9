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
import { DelegationDecisions, TokenServices } from '../signals/index.js';
import { watchClient } from './client-telemetry.js';
import { DECISION, INSTRUMENTS } from './instrument.js';
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
  readonly #services: TokenServices;
  readonly #decisions: DelegationDecisions;
  readonly #stops: (() => void)[] = [];

  constructor(
    @Inject(OPTIONS) options: MaskinportenTelemetryOptions,
    @Optional() services?: TokenServices,
    @Optional() decisions?: DelegationDecisions,
  ) {
    if (services === undefined || decisions === undefined) throw moduleNotImported('MaskinportenTelemetryModule');
    this.#options = options;
    this.#services = services;
    this.#decisions = decisions;
  }

  async onModuleInit(): Promise<void> {
    const sink = this.#options.sink ?? (await loadOpenTelemetrySink());
    this.#stops.push(
      this.#decisions.onDecision((decision) => sink.add(INSTRUMENTS.delegationDecisions, 1, { [DECISION]: decision })),
      this.#services.watch((name, service) => this.#stops.push(watchClient(name, service, sink))),
    );
  }

  onApplicationShutdown(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }
}

/**
 * Spans and metrics of all Maskinporten clients of an application, and of the decisions of `SystemUserGuard`. Import it
 * once, beside `MaskinportenModule`; nothing is measured and no library is loaded without it.
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
