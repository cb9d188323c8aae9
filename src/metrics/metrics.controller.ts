import { Controller, Get, Header } from '@nestjs/common';
import { Registry } from 'prom-client';
import { processMetrics } from './process-metrics.js';
import { PrometheusSink } from './prometheus-sink.js';

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
