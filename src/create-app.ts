import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import type { INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import type { Configuration } from './config/index.js';
import { ServiceLogger } from './logging/index.js';
import { describeService } from './openapi/index.js';

/**
 * Puts the service together without listening.
 *
 * @throws MaskinportenError (`MP_CONFIG` and others) when the credentials cannot be used
 */
export async function createApp(
  configuration: Configuration,
  adapter: AbstractHttpAdapter = expressAdapter(),
): Promise<INestApplication> {
  const app = await NestFactory.create(AppModule.register(configuration), adapter, {
    logger: new ServiceLogger(configuration.environment.LOG_LEVEL),
    abortOnError: false,
  });
  describeService(app);
  return app;
}

function expressAdapter(): ExpressAdapter {
  const adapter = new ExpressAdapter();
  // Nobody needs to know what answers (ASVS 13.4.6).
  adapter.disable('x-powered-by');
  return adapter;
}
