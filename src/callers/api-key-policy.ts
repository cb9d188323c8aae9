import { Injectable, type ExecutionContext, type CanActivate } from '@nestjs/common';
import { CallerPolicy, DelegationError, fromParam, parseOrganisationNumber } from 'nestjs-maskinporten';
import { callerOf } from './caller.js';

/** A caller may act for the organisations that stand beside its key, and for no other. */
@Injectable()
export class ApiKeyPolicy extends CallerPolicy {
  canActFor(context: ExecutionContext, organisation: string): boolean {
    const caller = callerOf(context.switchToHttp().getRequest<object>());
    return caller?.organisations.includes(organisation) === true;
  }
}

const organisationIn = fromParam('orgno');

/**
 * For routes below an organisation that have no `@RequireSystemUser` because there is no system user yet: the same first
 * two questions, with the same answers.
 */
@Injectable()
export class OwnOrganisationGuard implements CanActivate {
  constructor(private readonly policy: ApiKeyPolicy) {}

  /** @throws DelegationError `organisation_number_invalid`, `caller_not_allowed` */
  canActivate(context: ExecutionContext): boolean {
    const organisation = parseOrganisationNumber(organisationIn(context));
    if (organisation === undefined) throw new DelegationError('organisation_number_invalid');
    if (!this.policy.canActFor(context, organisation)) throw new DelegationError('caller_not_allowed');
    return true;
  }
}
