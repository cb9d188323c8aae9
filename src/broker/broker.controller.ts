import { Body, Controller, Get, Post, Query, Req } from '@nestjs/common';
import { DelegationError, parseOrganisationNumber, Scopes } from 'nestjs-maskinporten';
import { knownCaller } from '../callers/index.js';
import { BrokerService, type Transfers } from './broker.service.js';
import { NewTransfer, TransferQuery } from './transfer.dto.js';

/**
 * Files that Altinn carries between organisations. The token is our own and reaches the transfers of everybody we send for,
 * so what a caller may see and send is decided here. Reading and sending need different scopes, so each method says its own.
 */
@Controller('broker/transfers')
export class BrokerController {
  constructor(private readonly broker: BrokerService) {}

  /** Those that an organisation of the caller sends or receives. */
  @Get()
  @Scopes('altinn:broker.read')
  async list(@Query() query: TransferQuery, @Req() request: object): Promise<Transfers> {
    return this.broker.listTransfers(query, knownCaller(request).organisations);
  }

  /** @throws DelegationError `caller_not_allowed` before anything is sent */
  @Post()
  @Scopes('altinn:broker.write')
  async start(@Body() transfer: NewTransfer, @Req() request: object): Promise<unknown> {
    const sender = parseOrganisationNumber(transfer.sender);
    if (sender === undefined) throw new DelegationError('organisation_number_invalid');
    if (!knownCaller(request).organisations.includes(sender)) throw new DelegationError('caller_not_allowed');
    return this.broker.startTransfer(transfer);
  }
}
