import { Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { ownMembers } from '../basics/index.js';
import { HealthMonitor } from './health-monitor.js';
import { HEALTH_OPTIONS, type MaskinportenHealthOptions } from './health-options.js';
import { MaskinportenHealthIndicator } from './maskinporten-health.indicator.js';
import { MaskinportenProbes } from './maskinporten-probes.js';

/**
 * Health of all Maskinporten clients of an application. Needs `@nestjs/terminus` 12 and `MaskinportenModule`. Import it
 * once; with `forRoot` when something is to be different from the defaults.
 *
 * @example
 * @Module({ imports: [TerminusModule, MaskinportenHealthModule], controllers: [HealthController] })
 * export class HealthModule {}
 */
@Module({
  imports: [TerminusModule],
  providers: [
    { provide: HEALTH_OPTIONS, useValue: {} },
    HealthMonitor,
    MaskinportenProbes,
    MaskinportenHealthIndicator,
  ],
  exports: [MaskinportenHealthIndicator, MaskinportenProbes],
})
export class MaskinportenHealthModule {
  /** The module with options of your own. */
  static forRoot(options: MaskinportenHealthOptions): DynamicModule {
    return {
      module: MaskinportenHealthModule,
      providers: [{ provide: HEALTH_OPTIONS, useValue: ownMembers(options) }],
    };
  }
}
