import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { MaskinportenHealthModule } from 'nestjs-maskinporten/health';
import { Draining } from './draining.js';
import { HealthController } from './health.controller.js';
import { CallersReadDetails, HealthReaders } from './health-readers.js';

@Module({
  // Terminus would log the whole report each time somebody asks while something is down.
  imports: [TerminusModule.forRoot({ logger: false }), MaskinportenHealthModule],
  controllers: [HealthController],
  providers: [Draining, { provide: HealthReaders, useClass: CallersReadDetails }],
})
export class HealthModule {}
