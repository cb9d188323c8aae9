import { Module, type DynamicModule } from '@nestjs/common';
import { MaskinportenTelemetryModule } from 'nestjs-maskinporten';
import { MetricsController } from './metrics.controller.js';
import { PrometheusSink } from './prometheus-sink.js';

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
