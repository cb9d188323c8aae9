import { Logger, type INestApplication } from '@nestjs/common';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AuditLog } from 'nestjs-maskinporten';
import { OpeningAuditStore } from './audit/index.js';
import { brokerUrlBelow, isDemo, loadConfiguration, type Environment } from './config/index.js';
import { createApp } from './create-app.js';
import { DemoSimulator, welcome } from './demo/index.js';
import { closeFailed, closeOnSignals } from './shutdown.js';
import { explainStartFailure } from './start-failure.js';

const settings: { environment?: Environment } = {};

async function main(): Promise<INestApplication> {
  const configuration = await loadConfiguration();
  const { environment } = configuration;
  settings.environment = environment;
  const app = await createApp(configuration);
  closeOnSignals(app);
  // The demo has no credentials worth protecting, but it is nobody else's either.
  await app.listen(environment.PORT, isDemo(environment) ? '127.0.0.1' : '0.0.0.0');
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  new Logger('Service').log({ message: 'listening', port });
  const { running: simulator, caller } = app.get(DemoSimulator);
  if (simulator === undefined || caller === undefined) return app;
  process.stdout.write(
    welcome(
      await app.getUrl(),
      caller.apiKey,
      simulator,
      environment.BROKER_URL ?? brokerUrlBelow(simulator.platformUrl),
    ),
  );
  return app;
}

/** The audit log may be made while the service listens already. */
async function auditLogOf(app: INestApplication): Promise<void> {
  const { store } = app.get(AuditLog);
  try {
    await store.opened;
  } catch (error) {
    if (store instanceof OpeningAuditStore && store.isClosed) return;
    process.stderr.write(await explainStartFailure(error, settings.environment));
    await closeFailed(app);
    process.exit(1);
  }
}

try {
  await auditLogOf(await main());
} catch (error) {
  process.stderr.write(await explainStartFailure(error, settings.environment));
  process.exit(1);
}
