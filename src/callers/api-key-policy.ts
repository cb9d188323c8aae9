import { Injectable, type ExecutionContext } from '@nestjs/common';
import { CallerPolicy } from 'nestjs-maskinporten';
import { callerOf } from './caller.js';

/** A caller may act for the organisations that stand beside its key, and for no other. */
@Injectable()
export class ApiKeyPolicy extends CallerPolicy {
  canActFor(context: ExecutionContext, organisation: string): boolean {
    const caller = callerOf(context.switchToHttp().getRequest<object>());
    return caller?.organisations.includes(organisation) === true;
  }
}
