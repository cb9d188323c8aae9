import { Logger, type INestApplication } from '@nestjs/common';
import type { Server } from 'node:http';

/** Longer than any call of the service may take, shorter than the 30 s that Kubernetes gives. */
export const SHUTDOWN_LIMIT_MS = 20_000;

/**
 * Ends the service on SIGTERM and SIGINT: no new connections, requests in flight are answered, then everything is
 * closed and the process exits with 0. What still hangs at the limit is given up, with exit code 1.
 */
export function closeOnSignals(app: INestApplication, limitMs: number = SHUTDOWN_LIMIT_MS): void {
  const begin = (signal: NodeJS.Signals): void => {
    logger.log(`${signal}: finishing the requests in flight`);
    letGo(app, limitMs);
  };
  process.once('SIGTERM', begin);
  process.once('SIGINT', begin);
  app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
}

/** The same for a service that found out that it cannot go on; the caller exits. */
export async function closeFailed(app: INestApplication, limitMs: number = SHUTDOWN_LIMIT_MS): Promise<void> {
  letGo(app, limitMs);
  await app.close();
}

function letGo(app: INestApplication, limitMs: number): void {
  const server = app.getHttpServer() as Server;
  // A connection that is kept alive would hold the server open until its client lets go of it.
  server.prependListener('request', (_request, response) => response.setHeader('connection', 'close'));
  setInterval(() => server.closeIdleConnections(), 50).unref();
  setTimeout(() => {
    logger.error(`what is not finished after ${limitMs} ms is given up`);
    process.exit(1);
  }, limitMs).unref();
}

const logger = new Logger('Shutdown');
