import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Get, Module, type INestApplication } from '@nestjs/common';
import { HealthCheckService, TerminusModule, type HealthCheckResult } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Simulator } from 'maskinporten-simulator';
import request from 'supertest';
import { PATIENT } from '../../../../test/support/patience.js';
import { HealthContributors } from '../signals/index.js';
import { startTestSimulator, testClientOptions } from '../testing/simulator.fixtures.js';
import { MaskinportenModule, type MaskinportenModuleExtras, type MaskinportenOptions } from '../module/index.js';
import { MaskinportenTokenService } from '../tokens/index.js';
import { HandClock, START_MS } from './health.fixtures.js';
import {
  MaskinportenHealthIndicator,
  MaskinportenHealthModule,
  MaskinportenProbes,
  type ClientReport,
  type MaskinportenHealthOptions,
} from './index.js';

@Controller()
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly maskinporten: MaskinportenHealthIndicator,
  ) {}

  @Get('health')
  async report(): Promise<HealthCheckResult> {
    return this.health.check([() => this.maskinporten.check('maskinporten')]);
  }
}

/** Waits until something that real sockets bring about has come about; the test's own timeout is the limit. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('MaskinportenHealthModule', () => {
  let simulator: Simulator;
  let app: INestApplication | undefined;
  let indicator: MaskinportenHealthIndicator;
  let probes: MaskinportenProbes;

  beforeAll(async () => {
    simulator = await startTestSimulator();
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    simulator.operator.reset();
  });
  afterAll(async () => simulator?.close());

  async function start(
    health: MaskinportenHealthOptions = {},
    more: Partial<MaskinportenOptions> & MaskinportenModuleExtras = {},
  ): Promise<INestApplication> {
    const options = await testClientOptions(simulator, { scopes: ['acme:read'] });
    @Module({
      imports: [
        MaskinportenModule.forRoot({ ...options, retry: PATIENT, ...more }),
        TerminusModule,
        MaskinportenHealthModule.forRoot({ checkEveryMs: [20, 40], checkDeadlineMs: 60_000, ...health }),
      ],
      controllers: [HealthController],
    })
    class AppModule {}
    app = (await Test.createTestingModule({ imports: [AppModule] }).compile()).createNestApplication({ logger: false });
    indicator = app.get(MaskinportenHealthIndicator);
    probes = app.get(MaskinportenProbes);
    await app.init();
    return app;
  }

  interface Details {
    readonly clients: Record<string, ClientReport>;
    readonly contributors: Record<string, unknown>;
  }
  const details = (): Details => indicator.check('maskinporten', { details: true }).maskinporten as unknown as Details;
  const client = (): ClientReport | undefined => Object.values(details().clients)[0];
  const status = (): string => indicator.check('maskinporten').maskinporten.status;
  const httpStatuses = () => [probes.liveness().httpStatus, probes.readiness().httpStatus];

  it('healthy: 200, 200, ok', async () => {
    await start();
    await until(() => client()?.issuer.status === 'up');
    expect([httpStatuses(), status()]).toEqual([[200, 200], 'up']);
    const response = await request(app?.getHttpServer()).get('/health').expect(200);
    expect(response.body).toMatchObject({ status: 'ok', details: { maskinporten: { status: 'up' } } });
  });

  it('Maskinporten down: 200, 200, degraded, and up again when it is back', async () => {
    await start();
    await until(() => status() === 'up' && client()?.issuer.status === 'up');
    simulator.operator.faults.add({ path: '/*', server: 'maskinporten', reset: true });
    await until(() => status() === 'degraded');
    expect(httpStatuses()).toEqual([200, 200]);
    const response = await request(app?.getHttpServer()).get('/health').expect(200);
    expect(response.body).toMatchObject({ status: 'degraded' });
    simulator.operator.reset();
    await until(() => status() === 'up');
  });

  it('Maskinporten hangs: probes and reports are answered from what is known, without waiting', async () => {
    await start({ checkDeadlineMs: 50 });
    simulator.operator.faults.add({ path: '/*', server: 'maskinporten', delayMs: 600_000 });
    await until(() => status() === 'degraded');
    expect(client()?.issuer).toMatchObject({ status: 'degraded', code: 'MP_TIMEOUT' });
    const requests = simulator.log.length;
    // Synchronous: there is no moment in which something else could be asked.
    for (let index = 0; index < 1_000; index += 1) expect([httpStatuses(), status()]).toEqual([[200, 200], 'degraded']);
    expect(simulator.log.length).toBe(requests);
  });

  it('no usable token left: 200, 200, degraded, and calls that need one fail at once', async () => {
    await start({}, { retry: { ...PATIENT, attempts: 1 } });
    simulator.operator.faults.add({ path: '/token', status: 503 });
    const tokens = app?.get(MaskinportenTokenService);
    await expect(tokens?.getToken('acme:read')).rejects.toMatchObject({ code: 'MP_UPSTREAM' });
    await expect(tokens?.getToken('acme:read')).rejects.toMatchObject({ code: 'MP_UPSTREAM', attempts: 0 });
    expect([httpStatuses(), status()]).toEqual([[200, 200], 'degraded']);
    expect(client()).toMatchObject({
      tokens: { status: 'degraded', last: { outcome: 'refused', code: 'MP_UPSTREAM' } },
      circuit: { status: 'degraded', plain: 'open' },
    });
  });

  it('key expired: 200, 200, down', async () => {
    const options = await testClientOptions(simulator, { scopes: ['acme:read'] });
    const key = { ...(options.key as { pem: string; kid: string }), registeredAt: '2020-01-31' };
    await start({}, { ...options, key });
    await until(() => client()?.issuer.status === 'up');
    expect([httpStatuses(), status()]).toEqual([[200, 200], 'down']);
    expect(client()).toMatchObject({
      expiry: { status: 'down', credentials: [{ what: 'registered-key', tier: 'expired', daysLeft: 0 }] },
    });
    await request(app?.getHttpServer()).get('/health').expect(503);
  });

  it('F-113: key reload refused, the old key works: 200, 200, degraded until the file is right', async () => {
    const options = await testClientOptions(simulator, { scopes: ['acme:read'] });
    const { pem, kid } = options.key as { pem: string; kid: string };
    const file = join(mkdtempSync(join(tmpdir(), 'maskinporten-health-')), 'key.pem');
    writeFileSync(file, pem, { mode: 0o600 });
    await start({}, { ...options, key: { file, kid, watch: { intervalMs: 100 } } });
    await until(() => status() === 'up' && client()?.issuer.status === 'up');
    writeFileSync(file, 'nothing of use');
    await until(() => status() === 'degraded');
    expect(client()?.key).toMatchObject({ status: 'degraded', reloadFailures: [{ field: 'key.file' }] });
    expect(httpStatuses()).toEqual([200, 200]);
    await expect(app?.get(MaskinportenTokenService).getToken('acme:read')).resolves.toHaveProperty('value');
    writeFileSync(file, pem);
    await until(() => status() === 'up');
  });

  it.each([
    ['PDP', 'degraded'],
    ['Redis', 'degraded'],
    ['audit', 'degraded'],
    ['key reload', 'degraded'],
  ] as const)('%s down: 200, 200, %s', async (name, expected) => {
    await start();
    const contributors = (app as INestApplication).get(HealthContributors);
    const take = contributors.add({ name, report: () => ({ status: expected, details: { since: 'a while' } }) });
    expect([httpStatuses(), status()]).toEqual([[200, 200], expected]);
    expect(details().contributors).toEqual({ [name]: { status: expected, details: { since: 'a while' } } });
    take();
    expect(details().contributors).toEqual({});
  });

  it('F-138: a contributor that throws is degraded and hides nothing else', async () => {
    await start();
    (app as INestApplication).get(HealthContributors).add({
      name: 'broken',
      report: () => {
        throw new Error('canary');
      },
    });
    expect(details().contributors).toEqual({ broken: { status: 'degraded' } });
    expect(client()).toBeDefined();
  });

  it('F-131: event loop stalled: 503, 503', async () => {
    const clock = new HandClock();
    await start({ clock });
    clock.advance(3_000);
    expect(probes.liveness()).toEqual({ status: 'stalled', httpStatus: 503 });
    expect(probes.readiness()).toEqual({ status: 'stalled', httpStatus: 503 });
    for (let beat = 0; beat < 20; beat += 1) {
      expect(httpStatuses()).toEqual([503, 503]);
      clock.advance(500);
    }
    expect(httpStatuses()).toEqual([200, 200]);
  });

  it('draining: 200, 503, shutting_down', async () => {
    await start();
    probes.drain();
    expect([probes.liveness(), probes.readiness()]).toEqual([
      { status: 'ok', httpStatus: 200 },
      { status: 'shutting_down', httpStatus: 503 },
    ]);
  });

  it('closing an application drains it and ends the checks', async () => {
    await start();
    await until(() => client()?.issuer.status === 'up');
    await app?.close();
    app = undefined;
    expect(probes.readiness().status).toBe('shutting_down');
    const checkedAt = client()?.issuer.checkedAt;
    await new Promise((resolve) => setImmediate(resolve));
    expect(client()?.issuer).toMatchObject({ status: 'up', checkedAt });
  });

  it('waits for a first token only when told to, and then until it is there', async () => {
    simulator.operator.faults.add({ path: '/token', status: 503, times: 1 });
    await start({ firstToken: 'acme:read' });
    expect(probes.readiness()).toEqual({ status: 'waiting_for_token', httpStatus: 503 });
    expect(probes.liveness().httpStatus).toBe(200);
    await until(() => probes.readiness().httpStatus === 200);
    expect(client()?.tokens).toMatchObject({ last: { outcome: 'obtained' } });
  });

  it('a clock that is off by more than five seconds is degraded, and noticed without a token request', async () => {
    await start();
    simulator.operator.clock.setOffset(30);
    await until(() => client()?.clock.status === 'degraded');
    expect([httpStatuses(), status()]).toEqual([[200, 200], 'degraded']);
    simulator.operator.clock.setOffset(0);
    await until(() => status() === 'up');
  });

  it('checks carry no token and ask for the public metadata alone', async () => {
    const before = simulator.log.length;
    await start();
    await until(() => simulator.log.length >= before + 3);
    const seen = simulator.log.slice(before).filter(({ server }) => server === 'maskinporten');
    expect(new Set(seen.map(({ method, path }) => `${method} ${path}`))).toEqual(
      new Set(['GET /.well-known/oauth-authorization-server']),
    );
  });

  it('T-69: without authentication a report is a status and nothing else, whatever is wrong', async () => {
    const options = await testClientOptions(simulator, { scopes: ['acme:read'] });
    await start(
      {},
      { ...options, key: { ...(options.key as { pem: string; kid: string }), registeredAt: '2020-01-31' } },
    );
    simulator.operator.faults.add({ path: '/*', server: 'maskinporten', status: 503 });
    await app
      ?.get(MaskinportenTokenService)
      .getToken('acme:read')
      .catch(() => undefined);
    await until(() => client()?.issuer.status === 'degraded');
    const response = await request(app?.getHttpServer()).get('/health').expect(503);
    const words = new Set(JSON.stringify(response.body).match(/[\w-]+/g));
    expect(words).toEqual(new Set(['status', 'error', 'info', 'details', 'maskinporten', 'down']));
    for (const probe of [probes.liveness(), probes.readiness()]) {
      expect(Object.keys(probe)).toEqual(['status', 'httpStatus']);
    }
  });

  it('T-69: even with details nothing names the client or holds a whole kid', async () => {
    const options = await testClientOptions(simulator, { scopes: ['acme:read'] });
    await start({}, options);
    await app?.get(MaskinportenTokenService).getToken('acme:read');
    const text = JSON.stringify(details());
    const { kid, pem } = options.key as { pem: string; kid: string };
    for (const canary of [options.clientId, kid, pem.slice(40, 80)]) expect(text).not.toContain(canary);
    expect(text).not.toMatch(/eyJ/);
  });

  it('reports named clients apart, and one alone when asked', async () => {
    const options = await testClientOptions(simulator, { scopes: ['acme:read'] });
    await start({}, { ...options, name: 'payroll' });
    expect(Object.keys(details().clients)).toEqual(['payroll']);
    expect(indicator.check('m', { client: 'payroll', parts: ['clock'] }).m.status).toBe('up');
    expect(() => indicator.check('m', { client: 'typo' })).toThrow(/there is no client called "typo"/);
  });

  it('refuses the start without MaskinportenModule, and says what to import', async () => {
    const building = Test.createTestingModule({ imports: [MaskinportenHealthModule] }).compile();
    await expect(building).rejects.toThrow(/MaskinportenModule is not imported/);
  });

  it('works without options', async () => {
    const options = await testClientOptions(simulator, { scopes: ['acme:read'] });
    const module = await Test.createTestingModule({
      imports: [MaskinportenModule.forRoot(options), MaskinportenHealthModule],
    }).compile();
    app = module.createNestApplication({ logger: false });
    await app.init();
    indicator = app.get(MaskinportenHealthIndicator);
    await until(() => client()?.issuer.status === 'up');
    expect(Date.parse(String(client()?.issuer.checkedAt))).toBeGreaterThan(START_MS - 365 * 86_400_000);
  });
});
