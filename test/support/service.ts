import type { AbstractHttpAdapter } from '@nestjs/core';
import type { INestApplication } from '@nestjs/common';
import { startSimulator, type Simulator, type SimulatorConfig } from 'maskinporten-simulator';
import { simulatorOptions } from 'nestjs-maskinporten/testing';
import { loadConfiguration } from '../../src/config/index.js';
import { createApp } from '../../src/create-app.js';

export type EnvironmentVariables = Record<string, string>;

/** A running simulator, and the variables with which the service uses it as if it were Maskinporten. */
export interface TestBed {
  readonly simulator: Simulator;
  readonly clientId: string;
  readonly variables: EnvironmentVariables;
}

const running: { close(): Promise<unknown> }[] = [];

/** Ends everything that was started here; for `afterEach` or `afterAll`, so that a failed test leaves nothing running. */
export async function closeAll(): Promise<void> {
  for (const part of running.splice(0).toReversed()) await part.close();
}

export async function makeTestBed(
  scopes: readonly string[] = ['altinn:broker.read', 'altinn:broker.write'],
  config: SimulatorConfig = {},
): Promise<TestBed> {
  const simulator = await startSimulator({ config });
  running.push(simulator);
  const { clientId, key } = await simulatorOptions(simulator, { scopes });
  if (!('pem' in key) || key.kid === undefined) throw new Error('simulatorOptions gives a PEM key with a kid');
  return {
    simulator,
    clientId,
    variables: {
      MASKINPORTEN_ISSUER: simulator.issuer,
      MASKINPORTEN_CLIENT_ID: clientId,
      MASKINPORTEN_KID: key.kid,
      MASKINPORTEN_PRIVATE_KEY: key.pem.toString(),
      MASKINPORTEN_DESTINATIONS: simulator.platformUrl,
      BROKER_URL: `${simulator.platformUrl}/broker/api/v1`,
      LOG_LEVEL: 'fatal',
      PORT: '0',
    },
  };
}

/** The service in this process, listening on loopback. */
export async function serve(
  variables: EnvironmentVariables,
  adapter?: AbstractHttpAdapter,
): Promise<{ readonly app: INestApplication; readonly url: string }> {
  const app = await createApp(await loadConfiguration(variables), adapter);
  running.push(app);
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl() };
}
