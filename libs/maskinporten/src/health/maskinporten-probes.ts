import { Injectable } from '@nestjs/common';
import { HealthMonitor } from './health-monitor.js';

/** What a probe is answered with. The status word is all that the body may hold. */
export interface ProbeAnswer {
  readonly status: 'ok' | 'stalled' | 'shutting_down' | 'waiting_for_token';
  readonly httpStatus: 200 | 503;
}

const OK: ProbeAnswer = Object.freeze({ status: 'ok', httpStatus: 200 });
const not = (status: Exclude<ProbeAnswer['status'], 'ok'>): ProbeAnswer => ({ status, httpStatus: 503 });

/**
 * Answers of liveness and readiness probes. Both look at this process alone: an outage that all replicas share, an
 * expired key included, never takes a replica out of rotation or restarts it.
 *
 * @example
 * @Get('ready')
 * ready(@Res({ passthrough: true }) response: Response) {
 *   const { status, httpStatus } = this.probes.readiness();
 *   response.status(httpStatus);
 *   return { status };
 * }
 */
@Injectable()
export class MaskinportenProbes {
  readonly #monitor: HealthMonitor;

  constructor(monitor: HealthMonitor) {
    this.#monitor = monitor;
  }

  /** 503 when the event loop stood still: only a restart helps. */
  liveness(): ProbeAnswer {
    return this.#monitor.stalled ? not('stalled') : OK;
  }

  /** 503 while the application closes, after a stall, and – only if asked for – until a first token is there. */
  readiness(): ProbeAnswer {
    if (this.#monitor.draining) return not('shutting_down');
    if (this.#monitor.stalled) return not('stalled');
    return this.#monitor.firstTokenAwaited ? not('waiting_for_token') : OK;
  }

  /** From now on readiness says `shutting_down`. Happens by itself when the application closes; call it on SIGTERM to have time before. */
  drain(): void {
    this.#monitor.drain();
  }
}
