import { Module } from '@nestjs/common';
import { MaskinportenHttpModule } from 'nestjs-maskinporten';
import { brokerUrl, brokerUrlBelow, Environment } from '../config/index.js';
import { DemoSimulator } from '../demo/index.js';
import { BrokerController } from './broker.controller.js';
import { BrokerService } from './broker.service.js';

/** Milliseconds for a whole call, the wait for a token included; shorter than what a shutdown waits for. */
const DEADLINE_MS = 10_000;

@Module({
  imports: [
    MaskinportenHttpModule.registerAsync({
      inject: [Environment, DemoSimulator],
      useFactory: (environment: Environment, { running }: DemoSimulator) => {
        const baseURL =
          running === undefined
            ? brokerUrl(environment)
            : (environment.BROKER_URL ?? brokerUrlBelow(running.platformUrl));
        return { ...(baseURL === undefined ? {} : { baseURL }), maskinporten: { deadlineMs: DEADLINE_MS } };
      },
    }),
  ],
  controllers: [BrokerController],
  providers: [BrokerService],
})
export class BrokerModule {}
