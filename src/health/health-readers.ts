import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';

/** Decides who may read the reasons, dates and codes of the health report; everybody else gets statuses only. */
export abstract class HealthReaders {
  abstract mayReadDetails(request: IncomingMessage): boolean | Promise<boolean>;
}

/** Nobody: what a service does that cannot tell its callers apart. */
@Injectable()
export class NoHealthReaders extends HealthReaders {
  mayReadDetails(): boolean {
    return false;
  }
}
