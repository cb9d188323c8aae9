import type { DynamicModule, INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startSimulator, type Simulator } from 'maskinporten-simulator';
import { MaskinportenHealthModule } from 'nestjs-maskinporten/health';
import { AppModule } from '../src/app.module.js';
import { API_KEY, AUTHORIZATION, closeAll, configurationOf, makeTestBed, type TestBed } from './support/service.js';

/** A check that is given up is what some outages look like; without one it has all the time that it takes. */
const DEADLINE_MS = 2_000;
const FAST = MaskinportenHealthModule.forRoot({ checkEveryMs: [40, 80], checkDeadlineMs: 60_000 });
const IMPATIENT = MaskinportenHealthModule.forRoot({ checkEveryMs: [40, 80], checkDeadlineMs: DEADLINE_MS });
const started: INestApplication[] = [];

afterEach(async () => {
  for (const app of started.splice(0)) await app.close();
  await closeAll();
});

interface Answer {
  readonly status: number;
  readonly body: { readonly status: string; readonly details?: Record<string, { status: string }> };
}

interface Service {
  readonly url: string;
  ask(path: string, headers?: Record<string, string>): Promise<Answer>;
}

async function ask(url: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${url}${path}`, { headers });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

/** The template with everything real but the pace of the background check. */
async function startService(
  { variables }: TestBed,
  {
    adapter = new ExpressAdapter(),
    health = FAST,
  }: { adapter?: ExpressAdapter | FastifyAdapter; health?: DynamicModule } = {},
): Promise<Service> {
  const module = await Test.createTestingModule({
    imports: [AppModule.register(await configurationOf(variables))],
  })
    .overrideModule(MaskinportenHealthModule)
    .useModule(health)
    .compile();
  const app = module.createNestApplication(adapter, { logger: false });
  started.push(app);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return { url, ask: async (path, headers) => ask(url, path, headers) };
}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('health routes on %s', (_name, adapter) => {
  it('answer with statuses and nothing else', async () => {
    const service = await startService(await makeTestBed(), { adapter: adapter() });
    expect(await service.ask('/health/live')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await service.ask('/health/ready')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await service.ask('/health')).toMatchObject({
      status: 200,
      body: { status: 'ok', details: { maskinporten: { status: 'up' } } },
    });
  });

  it('T-69: tell a caller without authentication nothing about an expired key, and are 503 only in the report', async () => {
    const bed = await makeTestBed();
    const expired = { ...bed.variables, MASKINPORTEN_KEY_REGISTERED_AT: '2020-01-31' };
    const service = await startService({ ...bed, variables: expired }, { adapter: adapter() });
    expect((await service.ask('/health/ready')).status).toBe(200);
    expect(await service.ask('/health')).toEqual({
      status: 503,
      body: {
        status: 'error',
        info: {},
        error: { maskinporten: { status: 'down' } },
        details: { maskinporten: { status: 'down' } },
      },
    });
  });

  it('T-69: tell a caller with a known key the details, and nobody else', async () => {
    const bed = await makeTestBed();
    const service = await startService(bed, { adapter: adapter() });
    const { body } = await service.ask('/health', AUTHORIZATION);
    expect(body.details?.['maskinporten']).toMatchObject({
      clients: { default: { key: { fallback: false }, clock: { status: 'up' }, circuit: { plain: 'closed' } } },
    });
    expect(body).not.toHaveProperty('_meta');
    expect(JSON.stringify(body)).not.toContain(bed.clientId);
    for (const authorization of ['', 'Bearer ', 'Bearer wrong', `Basic ${API_KEY}`, `Bearer ${API_KEY}x`]) {
      const other = await service.ask('/health', { authorization });
      expect(other.body.details).toEqual({ maskinporten: { status: 'up' } });
    }
  });
});

describe('under an outage, polled ten times a second', () => {
  const outages: readonly [string, (simulator: Simulator) => void][] = [
    ['killed', ({ operator }) => operator.faults.add({ path: '/*', server: 'maskinporten', reset: true })],
    ['hung', ({ operator }) => operator.faults.add({ path: '/*', server: 'maskinporten', delayMs: 600_000 })],
    ['slow', ({ operator }) => operator.faults.add({ path: '/*', server: 'maskinporten', delayMs: 2 * DEADLINE_MS })],
    ['clock-shifted', ({ operator }) => operator.clock.setOffset(45)],
  ];

  it.each(outages)('Maskinporten %s: degraded, back again, and not one readiness flip', async (_name, breakIt) => {
    const bed = await makeTestBed();
    const service = await startService(bed, { health: IMPATIENT });
    const probes: number[] = [];
    const traffic: Promise<unknown>[] = [];
    const poll = async (until: string): Promise<void> => {
      for (;;) {
        // Real calls at the same time; what becomes of them is another suite's matter.
        traffic.push(fetch(`${service.url}/broker/transfers`, { headers: AUTHORIZATION }).catch(() => undefined));
        const [live, ready, report] = await Promise.all(
          ['/health/live', '/health/ready', '/health'].map(async (path) => service.ask(path)),
        );
        probes.push(live?.status ?? 0, ready?.status ?? 0, report?.status ?? 0);
        if (report?.body.status === until) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    await poll('ok');
    breakIt(bed.simulator);
    await poll('degraded');
    bed.simulator.operator.faults.clear();
    bed.simulator.operator.clock.setOffset(0);
    await poll('ok');
    await Promise.all(traffic);
    expect(new Set(probes)).toEqual(new Set([200]));
  });

  it('Maskinporten gone, port and all: degraded, and back when it listens again', async () => {
    const bed = await makeTestBed();
    const service = await startService(bed);
    const port = Number(new URL(bed.simulator.issuer).port);
    const status = async (): Promise<string> => (await service.ask('/health')).body.status;
    await bed.simulator.close();
    while ((await status()) !== 'degraded') expect((await service.ask('/health/ready')).status).toBe(200);
    const again = await listenAgain(port, status);
    try {
      while ((await status()) !== 'ok') expect((await service.ask('/health/ready')).status).toBe(200);
    } finally {
      await again.close();
    }
  });
});

/** Nobody holds the port while Maskinporten is gone, so a connection of somebody else may have it for a moment. */
async function listenAgain(port: number, inBetween: () => Promise<unknown>): Promise<Simulator> {
  for (;;) {
    try {
      return await startSimulator({ port });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      await inBetween();
    }
  }
}
