import { Logger, type INestApplication } from '@nestjs/common';
import type { Server } from 'node:http';

/** Longer than any call of the service may take, shorter than the 30 s that Kubernetes gives. */
export const SHUTDOWN_LIMIT_MS = 20_000;

/**
 * Ends the service on SIGTERM and SIGINT: no new connections, requests in flight are answered, then everything is
 * closed and the process exits with 0. What still hangs at the limit is given up, with exit code 1.
 */
export function closeOnSignals(app: INestApplication, limitMs: number = SHUTDOWN_LIMIT_MS): void {
  const logger = new Logger('Shutdown');
  const begin = (signal: NodeJS.Signals): void => {
    logger.log(`${signal}: finishing the requests in flight`);
    const server = app.getHttpServer() as Server;
    // A connection that is kept alive would hold the server open until its client lets go of it.
    server.prependListener('request', (_request, response) => response.setHeader('connection', 'close'));
    setInterval(() => server.closeIdleConnections(), 50).unref();
    setTimeout(() => {
      logger.error(`requests still in flight after ${limitMs} ms are given up`);
      process.exit(1);
    }, limitMs).unref();
  };
  process.once('SIGTERM', begin);
  process.once('SIGINT', begin);
  app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
}
