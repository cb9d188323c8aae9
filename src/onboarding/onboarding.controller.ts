import { Injectable, type PipeTransform, Controller, Get, Param, ParseUUIDPipe, Post, UseGuards } from '@nestjs/common';
import { DelegationError, parseOrganisationNumber } from 'nestjs-maskinporten';
import { OwnOrganisationGuard } from '../callers/index.js';
import { OnboardingService, type RequestView } from './onboarding.service.js';

/** The nine digits that the guard has checked, without what may stand before them. */
@Injectable()
export class OrganisationNumberPipe implements PipeTransform<unknown, string> {
  transform(value: unknown): string {
    const organisation = parseOrganisationNumber(value);
    if (organisation === undefined) throw new DelegationError('organisation_number_invalid');
    return organisation;
  }
}

/** How a customer is brought to approve the system. */
@Controller('organisations/:orgno/system-user-requests')
@UseGuards(OwnOrganisationGuard)
export class OnboardingController {
  constructor(private readonly onboarding: OnboardingService) {}

  @Post()
  async create(@Param('orgno', OrganisationNumberPipe) organisation: string): Promise<RequestView> {
    return this.onboarding.ask(organisation);
  }

  @Get(':id')
  async read(
    @Param('orgno', OrganisationNumberPipe) organisation: string,
    @Param('id', ParseUUIDPipe) id: string,
  ): Promise<RequestView> {
    return this.onboarding.follow(organisation, id);
  }
}
