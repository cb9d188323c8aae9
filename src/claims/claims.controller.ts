import { Controller, Get, UseGuards } from '@nestjs/common';
import { CurrentSystemUser, fromParam, RequireSystemUser, Scopes, type VerifiedDelegation } from 'nestjs-maskinporten';
import { OpenLogGuard } from '../audit/index.js';
import { KRAV_OG_BETALINGER } from '../config/index.js';
import { ClaimsService } from './claims.service.js';

/** What a customer owes the state, read in the customer's name. */
@Controller('organisations/:orgno/claims')
@UseGuards(OpenLogGuard)
export class ClaimsController {
  constructor(private readonly claims: ClaimsService) {}

  @Get()
  @Scopes('skatteetaten:kravogbetalinger')
  @RequireSystemUser({ organisation: fromParam('orgno'), resource: KRAV_OG_BETALINGER, action: 'read' })
  async list(@CurrentSystemUser() { organisation }: VerifiedDelegation): Promise<unknown> {
    return this.claims.openClaims(organisation);
  }
}
