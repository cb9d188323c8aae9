import { collectDefaultMetrics, Registry } from 'prom-client';
import { Controller, Get, Header, Module, type DynamicModule } from '@nestjs/common';
import { MaskinportenTelemetryModule } from 'nestjs-maskinporten';
import { PrometheusSink } from './prometheus-sink.js';

let shared: Registry | undefined;

/** CPU, memory, event loop and garbage collection of this process: one set, however many applications run in it. */
export function processMetrics(): Registry {
  if (shared === undefined) {
    shared = new Registry();
    collectDefaultMetrics({ register: shared });
  }
  return shared;
}

/** For Prometheus inside the cluster; an ingress must not lead here. */
@Controller('metrics')
export class MetricsController {
  readonly #registry: Registry;

  constructor(sink: PrometheusSink) {
    this.#registry = Registry.merge([sink.registry, processMetrics()]);
  }

  @Get()
  @Header('content-type', Registry.PROMETHEUS_CONTENT_TYPE)
  @Header('cache-control', 'no-store')
  async scrape(): Promise<string> {
    return this.#registry.metrics();
  }
}

/** What the service measures, at `/metrics`. */
@Module({})
export class MetricsModule {
  static register(): DynamicModule {
    const sink = new PrometheusSink();
    return {
      module: MetricsModule,
      imports: [MaskinportenTelemetryModule.forRoot({ sink })],
      controllers: [MetricsController],
      providers: [{ provide: PrometheusSink, useValue: sink }],
    };
  }
}
