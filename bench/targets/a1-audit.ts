import 'reflect-metadata';
import { performance } from 'node:perf_hooks';
import { Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  AuditLog,
  MaskinportenAuditModule,
  MaskinportenHttpModule,
  MaskinportenHttpService,
  MaskinportenModule,
  verifyAuditLog,
} from 'nestjs-maskinporten';
import { migrateAuditDatabase, PostgresAuditStore } from 'nestjs-maskinporten/audit-postgres';
import { SCOPES } from '../clients/client.js';
import { alternate } from '../measure/alternate.js';
import { BenchDatabase } from '../measure/postgres.js';
import { median, medianRatio, percentile } from '../measure/statistics.js';
import { ms, setupOf, type Bench, type Target } from './target.js';

const CONCURRENT = 50;
const CUSTOMER = '310000027';
const REASON =
  'a call waits until its intent is on disk: one commit, shared by the calls that are made at the same time';

export const audit: Target = {
  id: 'A1',
  title: 'calls with and without an audit log in PostgreSQL',
  async run(bench) {
    const database = await BenchDatabase.start();
    if (database === undefined) {
      const reason = 'PostgreSQL is not installed';
      return [
        { target: 'A1', measure: 'call on behalf of another, 50 at a time', ours: '–', peer: '–', reason, limit: {} },
      ];
    }
    try {
      await migrateAuditDatabase({ connectionString: database.ownerUrl, runningRole: 'service' });
      return await compare(bench, database.url);
    } finally {
      database.stop();
    }
  },
};

const perSecond = (msPerCall: readonly number[]): string => `${Math.round(1_000 / median(msPerCall))}/s`;

async function compare(bench: Bench, connectionString: string): ReturnType<Target['run']> {
  const store = new PostgresAuditStore({ connectionString });
  const withAudit = await start(bench, [MaskinportenAuditModule.forRoot({ store })]);
  const without = await start(bench, []);
  // Two records for each call: a hundred thousand in all.
  const [rounds, calls] = bench.quick ? [2, 200] : [10, 5_000];
  const p50 = { audit: [] as number[], none: [] as number[] };
  try {
    const contestant = (name: 'audit' | 'none', app: INestApplicationContext) => ({
      name,
      measure: async () => {
        const latencies: number[] = [];
        const elapsedMs = await callMany(app, calls, latencies);
        p50[name].push(percentile(latencies, 50));
        return elapsedMs / calls;
      },
    });
    const contestants = [contestant('audit', withAudit), contestant('none', without)];
    const perCall = await alternate(contestants, { rounds, warmUps: 1 });
    const [ours, bare] = [p50.audit.slice(1), p50.none.slice(1)];
    const rate = await writeMany(withAudit.get(AuditLog), bench.quick ? 2_000 : 100_000);
    const { records, findingCount } = await verifyAuditLog(store);
    if (findingCount > 0) throw new Error('The log that was measured is not what was written.');
    return [
      {
        target: 'A1',
        measure: 'calls on behalf of another, 50 at a time: time per call',
        ours: perSecond(perCall.audit),
        peer: `no audit log: ${perSecond(perCall.none)}`,
        value: medianRatio(perCall.audit, perCall.none),
        reason: REASON,
      },
      {
        target: 'A1',
        measure: 'the same, p50 of one call',
        ours: ms(median(ours)),
        peer: `no audit log: ${ms(median(bare))}`,
        value: medianRatio(ours, bare),
        reason: REASON,
      },
      {
        target: 'A1',
        measure: `records written by 50 at a time, each durable (${records} in the log, verified)`,
        ours: `${Math.round(rate)}/s`,
        peer: '–',
        value: rate,
        unit: '/s',
        decimals: 0,
      },
    ];
  } finally {
    await withAudit.close();
    await without.close();
  }
}

async function start(bench: Bench, more: DynamicModule[]): Promise<INestApplicationContext> {
  const run = bench.endpoint.newRun({ delayMs: 0, lifeSeconds: 3_600 });
  const { issuer, tokenEndpoint, clientId, privateKeyPem, kid } = setupOf(bench, run);
  @Module({
    imports: [
      MaskinportenModule.forRoot({
        issuer,
        tokenEndpoint,
        clientId,
        key: { pem: privateKeyPem, kid },
        destinations: [bench.endpoint.origin],
      }),
      MaskinportenHttpModule.register({
        baseURL: bench.endpoint.origin,
        maskinporten: { scopes: SCOPES, consumerOrg: CUSTOMER },
      }),
      ...more,
    ],
  })
  class BenchModule {}
  return NestFactory.createApplicationContext(BenchModule, { logger: false });
}

/** So many at a time until all are made. */
async function together(count: number, work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  let left = count;
  await Promise.all(
    Array.from({ length: CONCURRENT }, async () => {
      while (left > 0) {
        left -= 1;
        await work();
      }
    }),
  );
  return performance.now() - started;
}

async function callMany(app: INestApplicationContext, calls: number, latencies: number[]): Promise<number> {
  const { axiosRef } = app.get(MaskinportenHttpService);
  return together(calls, async () => {
    const started = performance.now();
    await axiosRef.get('/api/orders');
    latencies.push(performance.now() - started);
  });
}

async function writeMany(log: AuditLog, count: number): Promise<number> {
  const elapsedMs = await together(count, () =>
    log.write({ kind: 'call-intent', requestId: 'bench', organisation: CUSTOMER, method: 'GET' }, { required: true }),
  );
  return (count * 1_000) / elapsedMs;
}
