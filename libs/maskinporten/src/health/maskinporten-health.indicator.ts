import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { ownMembers } from '../basics/index.js';
import type { ReportPart } from './client-report.js';
import { HealthMonitor } from './health-monitor.js';
import { worst } from './health-state.js';

export interface HealthCheckOptions {
  /**
   * Tell reasons, dates and codes too. Only for callers that have been authenticated: together they tell an attacker
   * what is weak and when (T-69). Default false: the status alone.
   */
  readonly details?: boolean;
  /** One client by name. Default: all. */
  readonly client?: string;
  /** What the status is made from, to have one indicator for the issuer and another for the ends of keys. Default: everything. */
  readonly parts?: readonly ReportPart[];
}

/**
 * Health of the application's Maskinporten clients, for `HealthCheckService` of `@nestjs/terminus`. It answers from
 * what is known, without I/O. Shared outages are `degraded`, which Terminus answers with 200; an expired or refused key is
 * `down`. It belongs into a report for people and monitors, never into a probe: see `MaskinportenProbes`.
 *
 * @example
 * @Get()
 * health() {
 *   return this.health.check([() => this.maskinporten.check('maskinporten')]);
 * }
 */
@Injectable()
export class MaskinportenHealthIndicator {
  readonly #indicators: HealthIndicatorService;
  readonly #monitor: HealthMonitor;

  constructor(indicators: HealthIndicatorService, monitor: HealthMonitor) {
    this.#indicators = indicators;
    this.#monitor = monitor;
  }

  /** @throws MaskinportenConfigurationError (`MP_CONFIG`) when `options.client` names no client. */
  check<const Key extends string>(key: Key, given: HealthCheckOptions = {}): HealthIndicatorResult<Key> {
    const options = ownMembers(given);
    const clients = this.#monitor.clients(options.parts, options.client);
    const contributions = this.#monitor.contributions();
    const status = worst([...clients.values(), ...contributions.values()].map((report) => report.status));
    const session = this.#indicators.check(key);
    const details: Record<string, unknown> =
      options.details === true
        ? { clients: Object.fromEntries(clients), contributors: Object.fromEntries(contributions) }
        : {};
    if (status === 'down') return session.down(details);
    return status === 'degraded' ? session.degraded(details) : session.up(details);
  }
}
