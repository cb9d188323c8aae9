import { Injectable, type PipeTransform } from '@nestjs/common';
import { DelegationError, parseOrganisationNumber } from 'nestjs-maskinporten';

/** The nine digits that the guard has checked, without what may stand before them. */
@Injectable()
export class OrganisationNumberPipe implements PipeTransform<unknown, string> {
  transform(value: unknown): string {
    const organisation = parseOrganisationNumber(value);
    if (organisation === undefined) throw new DelegationError('organisation_number_invalid');
    return organisation;
  }
}
