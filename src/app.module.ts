import { Global, Module, ValidationPipe, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { MaskinportenModule } from 'nestjs-maskinporten';
import { AuditModule } from './audit/index.js';
import { BrokerModule } from './broker/broker.module.js';
import { CallersModule } from './callers/index.js';
import { ClaimsModule } from './claims/claims.module.js';
import { actsForCustomers, Environment, isDemo, MaskinportenConfig, type Configuration } from './config/index.js';
import { DemoModule } from './demo/index.js';
import { HealthModule } from './health/index.js';
import { InstancesModule } from './instances/instances.module.js';
import { RequestLogMiddleware } from './logging/index.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { OnboardingModule } from './onboarding/onboarding.module.js';
import {
  DelegationProblemFilter,
  InvalidRequestException,
  MaskinportenProblemFilter,
  ProblemAnswers,
  ProblemDetailsFilter,
} from './problems/index.js';
import { NestingPipe, RequestContextMiddleware, RequestsModule } from './requests/index.js';

/** The whole service: settings, one Maskinporten client, and a module per feature. */
@Global()
@Module({})
export class AppModule {
  static register({ environment, module, auditStore }: Configuration): DynamicModule {
    return {
      module: AppModule,
      imports: [
        module,
        DemoModule.register(isDemo(environment)),
        MaskinportenModule.forRootAsync({ useClass: MaskinportenConfig }),
        RequestsModule,
        CallersModule,
        BrokerModule,
        ...(actsForCustomers(environment) ? [ClaimsModule, InstancesModule, OnboardingModule] : []),
        AuditModule.register(auditStore),
        HealthModule,
        MetricsModule.register(),
      ],
      providers: [
        { provide: Environment, useValue: environment },
        RequestContextMiddleware,
        RequestLogMiddleware,
        ProblemAnswers,
        // The last one that fits is used: the general one stands first.
        { provide: APP_FILTER, useClass: ProblemDetailsFilter },
        { provide: APP_FILTER, useClass: MaskinportenProblemFilter },
        { provide: APP_FILTER, useClass: DelegationProblemFilter },
        { provide: APP_PIPE, useClass: NestingPipe },
        {
          provide: APP_PIPE,
          useFactory: () =>
            new ValidationPipe({
              transform: true,
              whitelist: true,
              forbidNonWhitelisted: true,
              validationError: { target: false, value: false },
              exceptionFactory: (errors) => new InvalidRequestException(errors),
            }),
        },
      ],
      exports: [Environment],
    };
  }
}
