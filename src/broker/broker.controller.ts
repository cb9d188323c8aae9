import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { Scopes } from 'nestjs-maskinporten';
import { BrokerService } from './broker.service.js';
import { NewTransfer, TransferQuery } from './transfer.dto.js';

/** Files that Altinn carries between organisations. Reading and sending need different scopes, so each method says its own. */
@Controller('broker/transfers')
export class BrokerController {
  constructor(private readonly broker: BrokerService) {}

  @Get()
  @Scopes('altinn:broker.read')
  async list(@Query() query: TransferQuery): Promise<unknown> {
    return this.broker.listTransfers(query);
  }

  @Post()
  @Scopes('altinn:broker.write')
  async start(@Body() transfer: NewTransfer): Promise<unknown> {
    return this.broker.startTransfer(transfer);
  }
}
