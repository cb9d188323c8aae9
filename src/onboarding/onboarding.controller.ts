import { Controller, Get, Param, ParseUUIDPipe, Post, UseGuards } from '@nestjs/common';
import { OwnOrganisationGuard } from '../callers/index.js';
import { OnboardingService } from './onboarding.service.js';
import { OrganisationNumberPipe } from './organisation-number.pipe.js';
import type { RequestView } from './request-view.js';

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
