import { Module } from '@nestjs/common';
import { apiClient } from '../api-client.js';
import { brokerUrl, brokerUrlBelow } from '../config/index.js';
import { BrokerController } from './broker.controller.js';
import { BrokerService } from './broker.service.js';

@Module({
  imports: [apiClient(brokerUrl, ({ platformUrl }) => brokerUrlBelow(platformUrl))],
  controllers: [BrokerController],
  providers: [BrokerService],
})
export class BrokerModule {}
