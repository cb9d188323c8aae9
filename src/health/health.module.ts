import { setTimeout as wait } from 'node:timers/promises';
import { Injectable, Logger, type BeforeApplicationShutdown, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { MaskinportenHealthModule } from 'nestjs-maskinporten/health';
import { Environment } from '../config/index.js';
import { CallersReadDetails, HealthReaders, HealthController } from './health.controller.js';

/** How long requests are still taken after SIGTERM, in milliseconds, so that load balancers see the readiness probe fail first. */
export const DRAIN_MS = 5_000;

/**
 * Keeps the server open for a while after SIGTERM, when readiness already says `shutting_down`. Not on a developer's
 * machine, where nobody balances load.
 */
@Injectable()
export class Draining implements BeforeApplicationShutdown {
  readonly #logger = new Logger('Shutdown');
  readonly #drainMs: number;

  constructor({ NODE_ENV }: Environment) {
    this.#drainMs = NODE_ENV === 'production' ? DRAIN_MS : 0;
  }

  async beforeApplicationShutdown(signal?: string): Promise<void> {
    if (signal !== 'SIGTERM' || this.#drainMs === 0) return;
    this.#logger.log({ message: 'draining', drainMs: this.#drainMs });
    await wait(this.#drainMs);
  }
}

@Module({
  // Terminus would log the whole report each time somebody asks while something is down.
  imports: [TerminusModule.forRoot({ logger: false }), MaskinportenHealthModule],
  controllers: [HealthController],
  providers: [Draining, { provide: HealthReaders, useClass: CallersReadDetails }],
})
export class HealthModule {}
