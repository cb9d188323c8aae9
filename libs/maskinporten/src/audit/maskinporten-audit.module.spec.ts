import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { Logger, Module, type INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startSimulator, type Simulator } from 'maskinporten-simulator';
import {
  AuditLog,
  DelegationDecisions,
  MaskinportenAuditModule,
  MaskinportenContext,
  MaskinportenHttpModule,
  MaskinportenHttpService,
  MaskinportenModule,
  MaskinportenTokenService,
  RequestContext,
  verifyAuditLog,
  type AuditRecord,
  type MaskinportenAuditOptions,
  type MaskinportenAuditOptionsFactory,
  type MaskinportenOptions,
} from '../index.js';
import { CallObservers, HealthContributors, type OutboundCall } from '../signals/index.js';
import { simulatorOptions } from '../testing/index.js';
import { MemoryAuditStore } from './memory-audit-store.fixtures.js';

const SCOPE = 'altinn:broker.read';
const OURS = '310000019';
const CUSTOMER = '310000027';
const down = (): never => {
  throw Object.assign(new Error('no database'), { code: '08001' });
};

let simulator: Simulator;
let options: MaskinportenOptions;
let store: MemoryAuditStore;
let app: INestApplicationContext | undefined;
beforeAll(async () => {
  simulator = await startSimulator({ separateOrigins: true });
});
afterAll(() => simulator?.close());
beforeEach(async () => {
  Logger.overrideLogger(false);
  simulator.operator.reset();
  store = new MemoryAuditStore();
  options = await simulatorOptions(simulator, { scopes: [SCOPE], orgno: OURS });
  const response = await fetch(`${simulator.operatorUrl}/operator/api/delegations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ consumer: CUSTOMER, supplier: OURS, scope: SCOPE }),
  });
  if (!response.ok) throw new Error(await response.text());
});
afterEach(async () => {
  store.beforeAppend = () => undefined;
  await app?.close();
  app = undefined;
});

async function start(
  audit: Partial<MaskinportenAuditOptions> = {},
  module = MaskinportenAuditModule.forRoot({ store, lingerMs: 0, ...audit }),
): Promise<INestApplicationContext> {
  const http = MaskinportenHttpModule.register({ baseURL: simulator.apiUrl });
  const built = await Test.createTestingModule({
    imports: [MaskinportenModule.forRoot(options), http, module],
  }).compile();
  app = await built.init();
  Logger.overrideLogger(false);
  return app;
}

/** A call as a handler makes it, for a request that came in. */
const call = (path: string, request: { requestId: string; consumerOrg?: string }): Promise<number> =>
  RequestContext.run(new RequestContext({ requestId: request.requestId, caller: 'acme' }), () =>
    MaskinportenContext.run(
      { scopes: SCOPE, ...(request.consumerOrg === undefined ? {} : { consumerOrg: request.consumerOrg }) },
      async () => (await (app as INestApplicationContext).get(MaskinportenHttpService).axiosRef.get(path)).status,
    ),
  );
/** Calls that reached the API. */
const callsMade = (): number =>
  simulator.log.filter((entry) => JSON.stringify(entry).includes('/broker/api/v1/transfers')).length;
const ofKind = (kind: AuditRecord['kind']): AuditRecord[] => store.stored.filter((record) => record.kind === kind);

describe('MaskinportenAuditModule', () => {
  it('records a token, the intent before a call and the outcome after it, linked by id and jti', async () => {
    await start({ rulebookVersion: '1.2.3' });
    await call('/broker/api/v1/transfers?fnr=01819000391', { requestId: 'r-1', consumerOrg: CUSTOMER });
    await app?.close();
    app = undefined;
    expect(store.stored.map(({ kind }) => kind)).toEqual(['opened', 'token', 'call-intent', 'call-outcome', 'closed']);
    const [token, intent, outcome] = [ofKind('token')[0], ofKind('call-intent')[0], ofKind('call-outcome')[0]];
    expect(token).toMatchObject({ client: 'default', decision: 'obtained', organisation: CUSTOMER, scopes: [SCOPE] });
    expect(intent).toMatchObject({
      requestId: 'r-1',
      caller: 'acme',
      client: 'default',
      organisation: CUSTOMER,
      scopes: [SCOPE],
      method: 'GET',
      host: new URL(simulator.apiUrl).host,
      pathTemplate: '/broker/api/v1/transfers',
      jti: token?.jti,
      kid: token?.kid,
      rulebookVersion: '1.2.3',
    });
    expect(outcome).toMatchObject({ callId: intent?.callId, status: 200, durationMs: expect.any(Number) as unknown });
    expect(await store.find({ requestId: 'r-1' })).toHaveLength(3);
    expect(JSON.stringify(store.stored)).not.toMatch(/eyJ|01819000391|fnr/);
    expect((await verifyAuditLog(store)).findings).toEqual([]);
    expect(store.closed).toBe(true);
  });

  it('records a token that was refused, with the jti of its grant', async () => {
    await start();
    const tokens = (app as INestApplicationContext).get(MaskinportenTokenService);
    await expect(tokens.getToken({ scopes: SCOPE, consumerOrg: '310000043' })).rejects.toThrow(/\S/);
    await app?.close();
    app = undefined;
    expect(ofKind('token')).toMatchObject([
      {
        decision: 'refused',
        organisation: '310000043',
        errorCode: 'MP_NOT_DELEGATED',
        jti: expect.any(String) as unknown,
      },
    ]);
  });

  it('records what the guard decided, before the call that follows from it', async () => {
    await start({ lingerMs: 10_000 });
    const decisions = (app as INestApplicationContext).get(DelegationDecisions);
    decisions.record('allowed', {
      requestId: 'r-1',
      caller: 'acme',
      organisation: CUSTOMER,
      resource: 'r',
      source: 'pdp',
    });
    await call('/broker/api/v1/transfers', { requestId: 'r-1', consumerOrg: CUSTOMER });
    expect(store.stored.map(({ kind }) => kind)).toEqual(['opened', 'delegation', 'token', 'call-intent']);
    expect(ofKind('delegation')).toMatchObject([{ decision: 'allowed', organisation: CUSTOMER, source: 'pdp' }]);
  });

  it('F-133: a call on behalf of another fails with MP_AUDIT and is not made; other calls are, and are recorded later', async () => {
    await start();
    await call('/broker/api/v1/transfers', { requestId: 'r-0' });
    store.beforeAppend = down;
    expect(callsMade()).toBe(1);
    await expect(call('/broker/api/v1/transfers', { requestId: 'r-1', consumerOrg: CUSTOMER })).rejects.toMatchObject({
      code: 'MP_AUDIT',
    });
    expect(callsMade()).toBe(1);
    await expect(call('/broker/api/v1/transfers', { requestId: 'r-2' })).resolves.toBe(200);
    const contributor = (app as INestApplicationContext)
      .get(HealthContributors)
      .list()
      .find(({ name }) => name === 'audit');
    expect(contributor?.report()).toMatchObject({ status: 'degraded', details: { errorCode: '08001', lost: 0 } });
    store.beforeAppend = () => undefined;
    await app?.close();
    app = undefined;
    expect(await store.find({ requestId: 'r-2' })).toHaveLength(3);
    const refused = ofKind('call-outcome').filter(({ requestId }) => requestId === 'r-1');
    expect(refused).toMatchObject([{ errorCode: 'MP_AUDIT', organisation: CUSTOMER }]);
  });

  it('F-133: what still wants to call on behalf of others while the log is being closed is refused, not unrecorded', async () => {
    await start();
    const observers = (app as INestApplicationContext).get(CallObservers);
    const seen: OutboundCall[] = [];
    observers.add({ after: (made) => void seen.push(made) });
    await call('/broker/api/v1/transfers', { requestId: 'r-1', consumerOrg: CUSTOMER });
    let late: unknown = 'not asked';
    store.close = async () => {
      late = await Promise.resolve(observers.before(seen[0] as OutboundCall)).catch((error: unknown) => error);
    };
    await app?.close();
    app = undefined;
    expect(late).toMatchObject({ code: 'MP_AUDIT' });
  });

  it('F-133: refuses other calls too, if that is the policy', async () => {
    await start({ otherCalls: 'refuse' });
    store.beforeAppend = down;
    await expect(call('/broker/api/v1/transfers', { requestId: 'r-1' })).rejects.toMatchObject({ code: 'MP_AUDIT' });
  });

  it('F-133: an operator is told once that the log cannot be written, and once that it can be again', async () => {
    const lines: string[] = [];
    const states: string[] = [];
    await start({
      onState: ({ state }) => states.push(state),
      checkpointKey: generateKeyPairSync('ed25519').privateKey,
    });
    const write = (line: unknown): void => void lines.push(JSON.stringify(line));
    Logger.overrideLogger({ log: write, error: write, warn: write });
    store.beforeAppend = down;
    for (let index = 0; index < 3; index += 1) {
      await call('/broker/api/v1/transfers', { requestId: randomUUID(), consumerOrg: CUSTOMER }).catch(() => undefined);
    }
    store.beforeAppend = () => undefined;
    await app?.close();
    app = undefined;
    expect(states).toEqual(['degraded', 'up']);
    const text = lines.join('');
    expect(text.match(/audit log cannot be written/g)).toHaveLength(1);
    expect(text.match(/audit log is written again/g)).toHaveLength(1);
    expect(text).toMatch(/audit checkpoint/);
  });

  describe('options', () => {
    class Factory implements MaskinportenAuditOptionsFactory {
      createMaskinportenAuditOptions(): MaskinportenAuditOptions {
        return { store };
      }
    }
    @Module({ providers: [Factory], exports: [Factory] })
    class FactoryModule {}

    it.each([
      ['useFactory', () => MaskinportenAuditModule.forRootAsync({ useFactory: () => ({ store }) })],
      ['useClass', () => MaskinportenAuditModule.forRootAsync({ useClass: Factory })],
      ['useExisting', () => MaskinportenAuditModule.forRootAsync({ imports: [FactoryModule], useExisting: Factory })],
    ])('come from %s', async (_name, module) => {
      await start({}, module());
      expect(app?.get(AuditLog).store).toBe(store);
    });

    it('are refused at start when wrong', async () => {
      await expect(start({ maxBatch: 0 })).rejects.toThrow(/audit\.maxBatch/);
      await expect(start({ otherCalls: 'ignore' as 'refuse' })).rejects.toThrow(/audit\.otherCalls/);
      expect(() => MaskinportenAuditModule.forRootAsync({})).toThrow(/useFactory/);
      const lonely = Test.createTestingModule({ imports: [MaskinportenAuditModule.forRoot({ store })] });
      await expect(lonely.compile()).rejects.toThrow(/MaskinportenModule is not imported/);
    });
  });
});
