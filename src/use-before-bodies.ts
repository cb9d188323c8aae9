import type { INestApplication, NestMiddleware } from '@nestjs/common';
import { BodyKeyMiddleware } from './callers/index.js';
import { RequestLogMiddleware } from './logging/index.js';
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
