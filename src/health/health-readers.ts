import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
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
