import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { metrics, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Simulator } from 'maskinporten-simulator';
import { PATIENT } from '../../../../test/support/patience.js';
import { DelegationDecisions } from '../signals/index.js';
import { startTestSimulator, testClientOptions } from '../testing/simulator.fixtures.js';
import { MaskinportenModule } from '../module/index.js';
import type { MaskinportenOptions } from '../module/index.js';
import { MaskinportenTokenService } from '../tokens/index.js';
import { INSTRUMENTS } from './instrument.js';
import { MaskinportenTelemetryModule, type TelemetrySink } from './index.js';
import { loadOpenTelemetrySink } from './open-telemetry-sink.js';

const SCOPES = ['acme:read', 'acme:write'];
const CUSTOMER = '310000027';

/** One exported value with its attributes. */
interface Point {
  readonly name: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: unknown;
}

describe('telemetry through OpenTelemetry', () => {
  const spans = new InMemorySpanExporter();
  const exported = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: exported, exportIntervalMillis: 3_600_000 });
  const meters = new MeterProvider({ readers: [reader] });
  let simulator: Simulator;
  let options: MaskinportenOptions;

  beforeAll(async () => {
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
    metrics.setGlobalMeterProvider(meters);
    simulator = await startTestSimulator();
  });
  beforeEach(async () => {
    spans.reset();
    exported.reset();
    options = await testClientOptions(simulator, { scopes: SCOPES });
  });
  afterEach(() => simulator.operator.reset());
  afterAll(async () => {
    await meters.shutdown();
    trace.disable();
    metrics.disable();
    await simulator?.close();
  });

  async function points(): Promise<Point[]> {
    exported.reset();
    await reader.forceFlush();
    return exported
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap((scope) => scope.metrics)
      .flatMap(({ descriptor: { name, unit }, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => ({ name, unit, attributes: { ...attributes }, value })),
      );
  }

  /** Values of one metric for the client of this test: the names of clients are all different. */
  async function measured(instrument: { readonly name: string }, name: string): Promise<unknown> {
    return (await points())
      .filter((point) => point.name === instrument.name && point.attributes['maskinporten.client.name'] === name)
      .map(({ attributes, value }) => {
        const others = Object.entries(attributes).filter(([key]) => key !== 'maskinporten.client.name');
        return Object.fromEntries([['value', value], ...others]);
      });
  }

  async function withClient(name: string, run: (tokens: MaskinportenTokenService) => Promise<void>): Promise<void> {
    const module = await Test.createTestingModule({
      imports: [
        MaskinportenModule.forRoot({ ...options, name, retry: { ...PATIENT, attempts: 1 } }),
        MaskinportenTelemetryModule,
      ],
    }).compile();
    await module.init();
    try {
      await run(module.get(Symbol.for(`MaskinportenTokenService(${name})`)));
    } finally {
      await module.close();
    }
  }

  it('counts requests by outcome and code, hits, waits, attempts and cached tokens', async () => {
    await withClient('counting', async (tokens) => {
      await Promise.all([tokens.getToken('acme:read'), tokens.getToken('acme:read')]);
      for (let index = 0; index < 7; index += 1) await tokens.getToken('acme:read');
      await expect(tokens.getToken('acme:typo')).rejects.toMatchObject({ code: 'MP_SCOPE' });
      const common = { 'maskinporten.request.kind': 'plain', 'maskinporten.background': false };
      expect(await measured(INSTRUMENTS.tokenRequests, 'counting')).toEqual([
        { value: 1, 'maskinporten.outcome': 'obtained', ...common },
        {
          value: 1,
          'maskinporten.outcome': 'refused',
          'error.type': 'MP_SCOPE',
          'maskinporten.mp_code': expect.stringMatching(/^MP-20[01]$/),
          ...common,
        },
      ]);
      expect(await measured(INSTRUMENTS.cacheHits, 'counting')).toEqual([{ value: 7 }]);
      expect(await measured(INSTRUMENTS.cacheWaits, 'counting')).toEqual([{ value: 3 }]);
      expect(await measured(INSTRUMENTS.cachedTokens, 'counting')).toEqual([{ value: 1 }]);
      expect(await measured(INSTRUMENTS.tokenAttempts, 'counting')).toEqual([
        { value: 2, 'maskinporten.request.kind': 'plain' },
      ]);
      expect(await measured(INSTRUMENTS.tokenDuration, 'counting')).toMatchObject([
        { value: { count: 1 } },
        { value: { count: 1 } },
      ]);
    });
  });

  it('shows clock offset, open circuits and days to expiry', async () => {
    const registeredAt = new Date(Date.now() - 335 * 86_400_000);
    options = { ...options, key: { ...(options.key as { pem: string; kid: string }), registeredAt } };
    simulator.operator.clock.setOffset(30);
    await withClient('gauges', async (tokens) => {
      await tokens.checkIssuer();
      simulator.operator.faults.add({ path: '/token', status: 503 });
      await expect(tokens.getToken('acme:read')).rejects.toMatchObject({ code: 'MP_UPSTREAM' });
      expect(await measured(INSTRUMENTS.circuitOpen, 'gauges')).toEqual([
        { value: 1, 'maskinporten.request.kind': 'plain' },
        { value: 0, 'maskinporten.request.kind': 'system-user' },
      ]);
      const [{ value: days, ...which }] = (await measured(INSTRUMENTS.credentialExpiry, 'gauges')) as [
        { value: number },
      ];
      expect([Math.round(days), which]).toEqual([30, { 'maskinporten.credential': 'registered-key' }]);
      const [{ value: offset }] = (await measured(INSTRUMENTS.clockOffset, 'gauges')) as [{ value: number }];
      expect(Math.round(offset / 10)).toBe(3);
    });
  });

  it('makes a span of its own for each token request, with the grant and the code, in nobody’s trace', async () => {
    await withClient('spans', async (tokens) => {
      const { jti } = await tokens.getToken('acme:read');
      await expect(tokens.getToken('acme:typo')).rejects.toMatchObject({ code: 'MP_SCOPE' });
      const [obtained, refused] = spans.getFinishedSpans();
      expect(spans.getFinishedSpans()).toHaveLength(2);
      expect(obtained).toMatchObject({
        name: 'maskinporten token',
        attributes: { 'maskinporten.grant.jti': jti, 'maskinporten.scopes': ['acme:read'], 'maskinporten.attempts': 1 },
      });
      expect(obtained?.parentSpanContext).toBeUndefined();
      expect(refused).toMatchObject({
        status: { code: 2, message: 'MP_SCOPE' },
        attributes: { 'error.type': 'MP_SCOPE' },
      });
    });
  });

  it('T-11: exports no token, assertion, key, client id, organisation or person number', async () => {
    simulator.operator.systems.add({ id: '310000019_payroll', vendor: '310000019', clientIds: [options.clientId] });
    simulator.operator.systemUsers.add({ systemId: '310000019_payroll', orgno: CUSTOMER });
    await withClient('canaries', async (tokens) => {
      const values: string[] = [];
      for (const request of [
        { scopes: 'acme:read', systemUser: { organisation: CUSTOMER } },
        { scopes: 'acme:read' },
        { scopes: 'acme:read', consumerOrg: CUSTOMER },
      ]) {
        const token = await tokens.getToken(request).catch(() => undefined);
        if (token !== undefined) values.push(token.value);
      }
      expect(values.length).toBeGreaterThanOrEqual(2);
      const text = JSON.stringify([
        await points(),
        spans.getFinishedSpans().map(({ name, attributes, status }) => [name, attributes, status]),
      ]);
      const { pem, kid } = options.key as { pem: string; kid: string };
      for (const canary of [...values, options.clientId, CUSTOMER, '310000019', kid, pem.slice(60, 100), 'eyJ']) {
        expect(text).not.toContain(canary);
      }
      expect(text.replaceAll(/"(startTime|endTime|timeUnixNano)":[^,}]+/g, '')).not.toMatch(
        /"[^"]*\b\d{9}\b[^"]*"|"[^"]*\b\d{11}\b[^"]*"/,
      );
    });
  });

  it('T-11: uses only the attributes that are written down', async () => {
    await withClient('attributes', async (tokens) => {
      await tokens.getToken('acme:read');
      const known = new Map(Object.values(INSTRUMENTS).map(({ name, attributes }) => [name, attributes]));
      for (const { name, attributes } of await points()) {
        for (const attribute of Object.keys(attributes)) expect(known.get(name)).toContain(attribute);
      }
    });
  });

  it('stops when the application ends', async () => {
    await withClient('ending', async (tokens) => {
      await tokens.getToken('acme:read');
    });
    expect(await measured(INSTRUMENTS.cacheHits, 'ending')).toEqual([]);
  });

  it('counts the decisions of the guard', async () => {
    const module = await Test.createTestingModule({
      imports: [MaskinportenModule.forRoot({ ...options, name: 'guarded' }), MaskinportenTelemetryModule],
    }).compile();
    await module.init();
    const decisions = module.get(DelegationDecisions, { strict: false });
    for (const decision of ['allowed', 'right_missing', 'right_missing']) decisions.record(decision);
    const counted = (await points()).filter(({ name }) => name === INSTRUMENTS.delegationDecisions.name);
    expect(counted.map(({ attributes, value }) => [attributes['maskinporten.delegation.decision'], value])).toEqual([
      ['allowed', 1],
      ['right_missing', 2],
    ]);
    await module.close();
  });
});

describe('telemetry with a sink of one’s own', () => {
  it('F-138: a sink that throws is counted and changes nothing', async () => {
    const simulator = await startTestSimulator();
    const broken: TelemetrySink = {
      add: () => {
        throw new Error('canary');
      },
      record: () => undefined,
      observe: () => () => undefined,
    };
    const module = await Test.createTestingModule({
      imports: [
        MaskinportenModule.forRoot(await testClientOptions(simulator, { scopes: SCOPES })),
        MaskinportenTelemetryModule.forRoot({ sink: broken }),
      ],
    }).compile();
    await module.init();
    const tokens = module.get(MaskinportenTokenService);
    expect((await tokens.getToken('acme:read')).scopes).toEqual(['acme:read']);
    expect(tokens.status.counts.listenerFailures).toBe(1);
    module.get(DelegationDecisions, { strict: false }).record('allowed');
    await module.close();
    await simulator.close();
  });

  it('refuses the start with one sentence when @opentelemetry/api is asked for and not installed', async () => {
    const missing = loadOpenTelemetrySink(async () => Promise.reject(new Error('ERR_MODULE_NOT_FOUND')));
    await expect(missing).rejects.toMatchObject({ code: 'MP_CONFIG', failures: [{ field: 'telemetry' }] });
  });

  it('refuses the start without MaskinportenModule', async () => {
    const building = Test.createTestingModule({ imports: [MaskinportenTelemetryModule] }).compile();
    await expect(building).rejects.toThrow(/MaskinportenModule is not imported/);
  });
});
