import { Logger } from '@nestjs/common';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brokerUrlBelow, isDemo, loadConfiguration, type Environment } from './config/index.js';
import { createApp } from './create-app.js';
import { DemoSimulator, welcome } from './demo/index.js';
import { closeOnSignals } from './shutdown.js';
import { explainStartFailure } from './start-failure.js';

const settings: { environment?: Environment } = {};

async function main(): Promise<void> {
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
  if (simulator === undefined || caller === undefined) return;
  process.stdout.write(
    welcome(
      await app.getUrl(),
      caller.apiKey,
      simulator,
      environment.BROKER_URL ?? brokerUrlBelow(simulator.platformUrl),
    ),
  );
}

try {
  await main();
} catch (error) {
  process.stderr.write(await explainStartFailure(error, settings.environment));
  process.exit(1);
}
