import { Body, Controller, Post, UseGuards } from '@nestjs/common';
import { CurrentSystemUser, fromParam, RequireSystemUser, Scopes, type VerifiedDelegation } from 'nestjs-maskinporten';
import { OpenLogGuard } from '../audit/index.js';
import { ALTINN_APP } from '../config/index.js';
import { InstancesService, NewInstance, type Submitted } from './instances.service.js';

/** Forms that are sent in through an Altinn app, in the name of a customer. */
@Controller('organisations/:orgno/instances')
@UseGuards(OpenLogGuard)
export class InstancesController {
  constructor(private readonly instances: InstancesService) {}

  @Post()
  @Scopes({ scopes: ['altinn:instances.read', 'altinn:instances.write'], exchange: 'altinn' })
  @RequireSystemUser({ organisation: fromParam('orgno'), resource: ALTINN_APP.resource, action: 'instantiate' })
  async submit(
    @CurrentSystemUser() { organisation }: VerifiedDelegation,
    @Body() instance: NewInstance,
  ): Promise<Submitted> {
    return this.instances.submit(organisation, instance);
  }
}
