import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { CallerPolicy } from 'nestjs-maskinporten';
import { Environment } from '../config/index.js';
import { DemoSimulator } from '../demo/index.js';
import { ApiKeyPolicy } from './api-key-policy.js';
import { ApiKeyGuard, BodyKeyMiddleware } from './api-key.guard.js';
import { ApiKeys, loadApiKeys } from './api-keys.js';

/** Who may call the service, and for whom. */
@Global()
@Module({
  providers: [
    {
      provide: ApiKeys,
      inject: [Environment, DemoSimulator],
      useFactory: async (environment: Environment, { caller }: DemoSimulator) => loadApiKeys(environment, caller),
    },
    ApiKeyPolicy,
    BodyKeyMiddleware,
    { provide: CallerPolicy, useExisting: ApiKeyPolicy },
    { provide: APP_GUARD, useClass: ApiKeyGuard },
  ],
  exports: [ApiKeys, ApiKeyPolicy],
})
export class CallersModule {}
