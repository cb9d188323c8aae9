import { createHash, randomBytes } from 'node:crypto';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { INestApplication } from '@nestjs/common';
import { startSimulator, type Simulator, type SimulatorConfig } from 'maskinporten-simulator';
import { simulatorOptions } from 'nestjs-maskinporten/testing';
import request from 'supertest';
import { MemoryAuditStore } from '../../libs/maskinporten/src/audit/memory-audit-store.fixtures.js';
import { loadConfiguration, type Configuration, type Environment } from '../../src/config/index.js';
import { createApp } from '../../src/create-app.js';
import { explainStartFailure } from '../../src/start-failure.js';
import { rsaKeyPair, signingKeys } from './pool.js';

/** A customer that the caller of the tests may act for. */
export const CUSTOMER = '310000027';

export const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');

/** The key of the one caller that every test bed knows. */
export const API_KEY = randomBytes(24).toString('base64url');
export const AUTHORIZATION = { authorization: `Bearer ${API_KEY}` };

/** Requests of that caller. */
export const api = (url: string): ReturnType<typeof request.agent> => request.agent(url).set(AUTHORIZATION);

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
  const simulator = await startSimulator({ separateOrigins: true, config, signingKeys: signingKeys() });
  running.push(simulator);
  const { privateKey } = rsaKeyPair();
  const { clientId, key } = await simulatorOptions(simulator, { scopes, tokenLifetime: 3600, privateKey });
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
      API_KEYS: JSON.stringify([{ name: 'tests', sha256: sha256(API_KEY), organisations: [CUSTOMER] }]),
      LOG_LEVEL: 'fatal',
      PORT: '0',
    },
  };
}

/** What was sent to anybody, besides the look at the issuer's metadata by which health is judged. */
export const askedOf = ({ log }: Simulator): string[] =>
  log.filter(({ path }) => !path.startsWith('/.well-known/')).map(({ method, path }) => `${method} ${path}`);

export const SYSTEM_ID = '310000019_books';
const SUBSCRIPTION_KEY = randomBytes(16).toString('hex');
export const APP_RESOURCE = 'app_ttd_returns';
export const CLAIMS_RESOURCE = 'ske-krav-og-betalinger';

const DELEGATION_SCOPES = [
  'altinn:broker.read',
  'skatteetaten:kravogbetalinger',
  'altinn:instances.read',
  'altinn:instances.write',
  'altinn:authentication/systemuser.request.read',
  'altinn:authentication/systemuser.request.write',
  'altinn:authentication/systemregister.write',
  'altinn:authorization/authorize',
];

/** The same with a system in Altinn's register, whose customers have not approved anything yet. */
export async function makeDelegationBed(scopes: readonly string[] = DELEGATION_SCOPES): Promise<TestBed> {
  const bed = await makeTestBed(scopes, { altinn: { subscriptionKeys: [SUBSCRIPTION_KEY] } });
  const { simulator, clientId, variables } = bed;
  const rights = [CLAIMS_RESOURCE, APP_RESOURCE];
  simulator.operator.systems.addUnknown({ id: SYSTEM_ID, vendor: '310000019', clientIds: [clientId], rights });
  return {
    ...bed,
    variables: {
      ...variables,
      MASKINPORTEN_DESTINATIONS: `${simulator.platformUrl},${simulator.apiUrl}`,
      ALTINN_PLATFORM_URL: simulator.platformUrl,
      ALTINN_SYSTEM_ID: SYSTEM_ID,
      ALTINN_SUBSCRIPTION_KEY: SUBSCRIPTION_KEY,
      KRAV_OG_BETALINGER_URL: `${simulator.apiUrl}/kravogbetalinger/v1`,
      ALTINN_APP_URL: `${simulator.apiUrl}/ttd/returns`,
    },
  };
}

/** The settings, with an audit log in memory unless they say where it is to be: an embedded database takes seconds. */
export async function configurationOf(variables: EnvironmentVariables): Promise<Configuration> {
  const configuration = await loadConfiguration(variables);
  const named = ['DATABASE_URL', 'DATABASE_URL_FILE', 'AUDIT_DATA_DIR'].some((name) => variables[name] !== undefined);
  return named ? configuration : { ...configuration, auditStore: new MemoryAuditStore() };
}

/** The service in this process, listening on loopback. */
export async function serve(
  variables: EnvironmentVariables,
  adapter?: AbstractHttpAdapter,
): Promise<{ readonly app: INestApplication; readonly url: string }> {
  const app = await createApp(await configurationOf(variables), adapter);
  running.push(app);
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl() };
}

/** What the service prints when it does not start with these variables, as `main.ts` puts it. */
export async function refusalOf(variables: EnvironmentVariables): Promise<string> {
  let environment: Environment | undefined;
  try {
    const configuration = await configurationOf(variables);
    ({ environment } = configuration);
    running.push(await createApp(configuration));
  } catch (error) {
    return explainStartFailure(error, environment);
  }
  throw new Error('The service started.');
}
