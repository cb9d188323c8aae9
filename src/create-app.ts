import type { Server } from 'node:http';
import type { INestApplication, NestMiddleware } from '@nestjs/common';
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { BodyKeyMiddleware } from './callers/index.js';
import type { Configuration } from './config/index.js';
import { describeService } from './describe-service.js';
import { RequestLogMiddleware, ServiceLogger } from './logging/index.js';
import { RequestContextMiddleware } from './requests/index.js';

/**
 * Adds what comes before a body is read: the context of the request, its line in the log, and the question for a key. The
 * middleware of Nest's modules would run after. Call it before the application is initialised.
 */
export function useBeforeBodies(app: INestApplication): void {
  for (const type of [RequestContextMiddleware, RequestLogMiddleware, BodyKeyMiddleware]) {
    const middleware: NestMiddleware = app.get(type);
    app.use(middleware.use.bind(middleware));
  }
}

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
