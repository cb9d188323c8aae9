import type { Server } from 'node:http';
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import type { INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import type { Configuration } from './config/index.js';
import { ServiceLogger } from './logging/index.js';
import { describeService } from './openapi/index.js';
import { useBeforeBodies } from './use-before-bodies.js';

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
  limitTimes(app.getHttpServer() as Server);
  useBeforeBodies(app);
  describeService(app);
  return app;
}

/** From the first byte to the last. Node looks every 30 s, and answers 408 to what is late. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

function limitTimes(server: Server): void {
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
}

function expressAdapter(): ExpressAdapter {
  const adapter = new ExpressAdapter();
  // Nobody needs to know what answers (ASVS 13.4.6).
  adapter.disable('x-powered-by');
  return adapter;
}
