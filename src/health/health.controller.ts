import type { IncomingMessage } from 'node:http';
import { Injectable, Controller, Get, Header, Req, Res, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService } from '@nestjs/terminus';
import { AuditLog } from 'nestjs-maskinporten';
import { MaskinportenHealthIndicator, MaskinportenProbes, type ProbeAnswer } from 'nestjs-maskinporten/health';
import { ApiKeys } from '../callers/index.js';

/** Decides who may read the reasons, dates and codes of the health report; everybody else gets statuses only. */
export abstract class HealthReaders {
  abstract mayReadDetails(request: IncomingMessage): boolean | Promise<boolean>;
}

/** Every caller whose key is known. */
@Injectable()
export class CallersReadDetails extends HealthReaders {
  constructor(private readonly keys: ApiKeys) {
    super();
  }

  mayReadDetails({ headers: { authorization } }: IncomingMessage): boolean {
    return this.keys.callerIn(authorization) !== undefined;
  }
}

/** What Express and Fastify responses have in common. */
interface Answer {
  status(code: number): unknown;
}

/** Probes for the platform, which look at this process alone, and a report for people and monitors. */
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly maskinporten: MaskinportenHealthIndicator,
    private readonly probes: MaskinportenProbes,
    private readonly readers: HealthReaders,
    private readonly log: AuditLog,
  ) {}

  @Get('live')
  @Header('cache-control', 'no-store')
  live(@Res({ passthrough: true }) response: Answer): Pick<ProbeAnswer, 'status'> {
    return answered(response, this.probes.liveness());
  }

  @Get('ready')
  @Header('cache-control', 'no-store')
  ready(@Res({ passthrough: true }) response: Answer): Readiness {
    const answer = this.probes.readiness();
    // Calls on behalf of customers would wait until the log is open; another replica answers them now.
    const isWaiting = answer.httpStatus === 200 && this.log.status().state === 'opening';
    return answered(response, isWaiting ? { status: 'waiting_for_audit_log', httpStatus: 503 } : answer);
  }

  /** 200 for up and degraded, 503 for down. */
  @Get()
  @Header('cache-control', 'no-store')
  async report(@Req() request: IncomingMessage, @Res({ passthrough: true }) response: Answer): Promise<unknown> {
    const details = await this.readers.mayReadDetails(request);
    try {
      return await this.health.check([() => this.maskinporten.check('maskinporten', { details })]);
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      response.status(error.getStatus());
      return error.getResponse();
    }
  }
}

interface Readiness {
  readonly status: ProbeAnswer['status'] | 'waiting_for_audit_log';
}

function answered<T extends string>(
  response: Answer,
  { status, httpStatus }: { readonly status: T; readonly httpStatus: number },
): { readonly status: T } {
  response.status(httpStatus);
  return { status };
}
