import { afterEach, describe, expect, it } from '@jest/globals';
import { sized } from '../../../../test/support/size.js';
import { isMaskinportenError } from '../errors/index.js';
import { answer, type Misbehaviour } from '../token-endpoint/strict-token-endpoint.fixtures.js';
import type { MaskinportenToken } from './index.js';
import { Gate, organisations, startService, turns, until, type ServiceBench } from './token-service.fixtures.js';

let bench: ServiceBench;
const caught = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);
const get = (
  scopes: string,
  priority: 'interactive' | 'batch' = 'interactive',
  signal?: AbortSignal,
): Promise<MaskinportenToken> => {
  const token = bench.service.getToken({ scopes }, signal === undefined ? { priority } : { priority, signal });
  // Looked at by most tests; where one fails early, it must not take the others with it.
  token.catch(() => undefined);
  return token;
};
/** Scopes of the grants that the server has seen, in their order. */
const served = (): unknown[] => bench.server.grants.map(({ claims }) => claims['scope']);
const waiting = (): number => {
  const { interactive, batch } = bench.service.status.connections.waiting;
  return interactive + batch;
};
const busy = answer(503, '');
const throttled = (seconds: number): Misbehaviour => answer(429, '', { 'retry-after': String(seconds) });
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

/** A service with so many connections whose answers are held back. */
async function startHeld(maxConnections = 1, then?: Misbehaviour): Promise<Gate> {
  bench = await startService({ http: { maxConnections }, retry: { attempts: 1 } });
  const gate = new Gate(then ?? bench.server.grant);
  bench.server.always = gate.hold;
  return gate;
}

afterEach(async () => {
  await bench.close();
});

describe('F-139: waiting for a connection is nobody’s fault', () => {
  it.each(['batch', 'interactive'] as const)(
    'a crowd of %s callers gets its tokens, few at a time',
    async (priority) => {
      const crowd = sized({ test: 300, soak: 20_000 });
      bench = await startService({ http: { maxConnections: 4 } });
      let inFlight = 0;
      let most = 0;
      bench.server.always = (response, request) => {
        inFlight += 1;
        most = Math.max(most, inFlight);
        response.on('finish', () => (inFlight -= 1));
        // All together take much longer than the deadline of one, which has eight seconds.
        bench.clock.advance(200);
        setImmediate(() => bench.server.grant(response, request));
      };
      const tokens = organisations(crowd).map((consumerOrg) =>
        bench.service.getToken({ scopes: 'a', consumerOrg }, { priority }),
      );
      for (const token of await Promise.all(tokens)) expect(token).toHaveProperty('value');
      expect([bench.requests(), bench.count('attempt-failed'), bench.count('circuit')]).toEqual([crowd, 0, 0]);
      expect(most).toBeLessThanOrEqual(4);
      expect(bench.service.status.connections).toEqual({ max: 4, inUse: 0, waiting: { interactive: 0, batch: 0 } });
    },
  );

  it('a caller that gives up in the queue hears where it waited, and its request is not sent', async () => {
    const gate = await startHeld();
    const first = get('first');
    await until(() => gate.held === 1);
    const caller = new AbortController();
    const left = caught(get('left', 'interactive', caller.signal));
    const stays = get('stays');
    await until(() => waiting() === 2);
    caller.abort();
    const error = await left;
    expect(error).toMatchObject({ code: 'MP_TIMEOUT', failures: [{ field: 'http.maxConnections' }] });
    expect(String(error)).toContain('http.maxConnections');
    gate.release();
    await Promise.all([first, stays]);
    await expect(get('left')).resolves.toHaveProperty('value');
    expect(served()).toEqual(['first', 'stays', 'left']);
    expect(bench.count('circuit')).toBe(0);
  });

  it('nothing is sent for a crowd that left before it came to the queue', async () => {
    bench = await startService({ http: { maxConnections: 4 } });
    const caller = new AbortController();
    const crowd = Array.from({ length: 1_000 }, (_, index) => caught(get(`s${index}`, 'batch', caller.signal)));
    caller.abort();
    const stays = get('s999');
    for (const error of await Promise.all(crowd)) expect(error).toMatchObject({ code: 'MP_ABORTED' });
    await stays;
    await turns();
    expect(served()).toEqual(['s999']);
    await expect(get('s0')).resolves.toHaveProperty('value');
  });

  it('who asks for an exchange in the moment in which the last caller leaves gets its token', async () => {
    const exchanged = { scopes: 'x', exchange: 'altinn' } as const;
    bench = await startService({
      http: { maxConnections: 1 },
      exchanger: { exchange: () => Promise.resolve({ value: 'altinn', expiresInSeconds: 100 }) },
    });
    const gate = new Gate(bench.server.grant);
    bench.server.always = gate.hold;
    const first = get('first');
    await until(() => gate.held === 1);
    const caller = new AbortController();
    const left = caught(bench.service.getToken(exchanged, { signal: caller.signal }));
    await until(() => waiting() === 1);
    caller.abort();
    const stays = bench.service.getToken(exchanged);
    gate.release();
    expect(await left).toMatchObject({ code: 'MP_TIMEOUT' });
    await Promise.all([first, stays]);
  });

  it('a request stays in the queue while one of its callers is left', async () => {
    const gate = await startHeld();
    const first = get('first');
    await until(() => gate.held === 1);
    const caller = new AbortController();
    const left = caught(get('shared', 'interactive', caller.signal));
    const stays = get('shared');
    await until(() => waiting() === 1);
    caller.abort();
    expect(await left).toMatchObject({ code: 'MP_TIMEOUT' });
    gate.release();
    await Promise.all([first, stays]);
    expect(served()).toEqual(['first', 'shared']);
  });

  it('a thousand callers with one signal put one listener on it, and no timer or controller each', async () => {
    const gate = await startHeld();
    const first = get('first');
    await until(() => gate.held === 1);
    const before = timers();
    let controllers = 0;
    const { AbortController: Original } = globalThis;
    globalThis.AbortController = class extends Original {
      constructor() {
        super();
        controllers += 1;
      }
    };
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): unknown => warnings.push(name);
    process.on('warning', onWarning);
    const shared = new Original();
    try {
      const all = Array.from({ length: 1_000 }, (_, index) => caught(get(`s${index}`, 'batch', shared.signal)));
      await until(() => waiting() === 1_000);
      await turns();
      // HTTP has a few timers of its own.
      expect(timers() - before).toBeLessThan(10);
      expect([controllers, warnings]).toEqual([0, []]);
      shared.abort();
      for (const error of await Promise.all(all)) expect(error).toMatchObject({ code: 'MP_TIMEOUT' });
      expect(waiting()).toBe(0);
    } finally {
      globalThis.AbortController = Original;
      process.off('warning', onWarning);
    }
    gate.release();
    await first;
    expect(served()).toEqual(['first']);
  });

  it('close ends the wait, and lets those who have a connection finish', async () => {
    const gate = await startHeld();
    const first = get('first');
    await until(() => gate.held === 1);
    const queued = [caught(get('a')), caught(get('b', 'batch'))];
    await until(() => waiting() === 2);
    const closing = bench.service.close();
    for (const error of await Promise.all(queued)) expect(error).toMatchObject({ code: 'MP_ABORTED' });
    gate.release();
    await expect(first).resolves.toHaveProperty('value');
    await closing;
    expect(served()).toEqual(['first']);
  });

  it('an open circuit ends the wait of interactive callers at once; batch work gets its tokens when it is over', async () => {
    const gate = await startHeld(1, busy);
    const first = caught(get('first'));
    await until(() => gate.held === 1);
    const people = ['a', 'b'].map((scopes) => caught(get(scopes)));
    const batch = ['c', 'd'].map((scopes) => get(scopes, 'batch'));
    await until(() => waiting() === 4);
    gate.release();
    expect(await first).toMatchObject({ code: 'MP_UPSTREAM', attempts: 1 });
    for (const error of await Promise.all(people)) {
      expect(error).toMatchObject({ code: 'MP_UPSTREAM', attempts: 0, retryAfterMs: expect.any(Number) });
    }
    await turns();
    expect([served(), waiting()]).toEqual([['first'], 2]);
    bench.server.always = undefined;
    bench.clock.advance(1_000);
    await Promise.all(batch);
    expect(served()).toEqual(['first', 'c', 'd']);
    expect(bench.service.status.circuits.plain).toBe('closed');
  });

  it('batch work sends one probe at a time while Maskinporten is down', async () => {
    await startHeld(4, busy);
    bench.server.always = busy;
    await caught(get('first'));
    const batch = Array.from({ length: 10 }, (_, index) => caught(get(`s${index}`, 'batch')));
    await until(() => waiting() === 10);
    bench.clock.advance(1_000);
    await until(() => bench.requests() === 2);
    await turns();
    expect([bench.requests(), waiting()]).toEqual([2, 9]);
    bench.server.always = undefined;
    bench.clock.advance(2_000);
    const outcomes = await Promise.all(batch);
    expect(outcomes.filter((outcome) => isMaskinportenError(outcome))).toHaveLength(1);
  });
});

describe('F-141: a cache that is full of usable tokens', () => {
  it('tells of each that goes, and warns once with the setting to raise', async () => {
    bench = await startService({ tokens: { maxEntries: 3 } });
    for (const scopes of ['a', 'b', 'c', 'd', 'e']) await get(scopes);
    expect(bench.events.filter(({ type }) => type === 'token-evicted')).toEqual([
      { type: 'token-evicted', scopes: ['a'], maxEntries: 3 },
      { type: 'token-evicted', scopes: ['b'], maxEntries: 3 },
    ]);
    const warnings = bench.events.filter((event) => event.type === 'warning' && event.field === 'tokens.maxEntries');
    expect(warnings).toEqual([expect.objectContaining({ reason: expect.stringContaining('tokens.maxEntries') })]);
    expect(bench.service.status.counts.evictions).toBe(2);
  });

  it('by default 3,000 organisations are asked for once, however often they come round', async () => {
    bench = await startService({ random: () => 0.9 });
    const all = organisations(sized({ test: 1_200, soak: 3_000 }));
    for (let round = 0; round < 2; round += 1) {
      await Promise.all(all.map((consumerOrg) => bench.service.getToken({ scopes: 'a', consumerOrg })));
    }
    expect([bench.requests(), bench.count('token-evicted')]).toEqual([all.length, 0]);
  });
});

describe('F-142: batch work beside interactive callers', () => {
  it('a free connection goes to the interactive caller who has waited longest', async () => {
    const gate = await startHeld();
    const all = [get('first')];
    await until(() => gate.held === 1);
    for (const scopes of ['b1', 'b2', 'b3']) all.push(get(scopes, 'batch'));
    for (const scopes of ['i1', 'i2']) all.push(get(scopes));
    await until(() => waiting() === 5);
    gate.release();
    await Promise.all(all);
    expect(served()).toEqual(['first', 'i1', 'i2', 'b1', 'b2', 'b3']);
  });

  it('batch work gets one connection of four while it waits, and all when nobody else does', async () => {
    const gate = await startHeld();
    const all = [get('first')];
    await until(() => gate.held === 1);
    for (let index = 0; index < 9; index += 1) all.push(get(`i${index}`));
    for (let index = 0; index < 4; index += 1) all.push(get(`b${index}`, 'batch'));
    await until(() => waiting() === 13);
    gate.release();
    await Promise.all(all);
    const order = served().map((scope) => String(scope)[0]);
    expect(order.join('')).toBe('fiiibiiibiiibb');
  });

  it('a request that an interactive caller joins goes before the batch', async () => {
    const gate = await startHeld();
    const all = [get('first')];
    await until(() => gate.held === 1);
    for (const scopes of ['b1', 'b2', 'b3']) all.push(get(scopes, 'batch'));
    await until(() => waiting() === 3);
    all.push(get('b3'));
    expect(bench.service.status.connections.waiting).toEqual({ interactive: 1, batch: 2 });
    gate.release();
    await Promise.all(all);
    expect(served()).toEqual(['first', 'b3', 'b1', 'b2']);
  });

  it('an exchange is as urgent as those who wait for it', async () => {
    const exchanged = { scopes: 'x', exchange: 'altinn' } as const;
    bench = await startService({
      http: { maxConnections: 1 },
      exchanger: { exchange: () => Promise.resolve({ value: 'altinn', expiresInSeconds: 100 }) },
    });
    const gate = new Gate(bench.server.grant);
    bench.server.always = gate.hold;
    const all = [get('first')];
    await until(() => gate.held === 1);
    all.push(get('b1', 'batch'), bench.service.getToken(exchanged, { priority: 'batch' }));
    await until(() => waiting() === 2);
    all.push(bench.service.getToken(exchanged));
    expect(bench.service.status.connections.waiting).toEqual({ interactive: 1, batch: 1 });
    gate.release();
    await Promise.all(all);
    expect(served()).toEqual(['first', 'x', 'b1']);
  });

  it('refuses a priority that there is not', async () => {
    bench = await startService();
    const options = { priority: 'low' } as unknown as { priority: 'batch' };
    expect(await caught(bench.service.getToken('a', options))).toMatchObject({ failures: [{ field: 'priority' }] });
  });
});

describe('F-140: a server that asks for time', () => {
  const systemUser = { scopes: 'a', systemUser: { organisation: '310000027' } };

  it('429 holds the whole client: batch work waits it out, interactive callers fail at once when it is long', async () => {
    bench = await startService({ http: { maxConnections: 1 } });
    bench.server.script = [throttled(30)];
    const batch = get('batch', 'batch');
    await until(() => bench.count('attempt-failed') === 1);
    for (const request of [{ scopes: 'i' }, systemUser]) {
      const error = await caught(bench.service.getToken(request));
      expect(error).toMatchObject({ code: 'MP_THROTTLED', attempts: 0, retryAfterMs: 30_000 });
    }
    expect([bench.requests(), waiting(), bench.count('circuit')]).toEqual([1, 1, 0]);
    bench.clock.advance(30_000);
    await expect(get('i')).resolves.toHaveProperty('value');
    await batch;
    expect(served()).toEqual(['batch', 'batch', 'i']);
  });

  it('interactive callers wait for a hold that is shorter than their deadline', async () => {
    bench = await startService({ http: { maxConnections: 1 } });
    bench.server.script = [throttled(5)];
    const batch = get('batch', 'batch');
    await until(() => bench.count('attempt-failed') === 1);
    const interactive = get('i');
    await until(() => waiting() === 2);
    bench.clock.advance(5_000);
    await get('later');
    await Promise.all([batch, interactive]);
    expect(served()).toEqual(['batch', 'i', 'later', 'batch']);
  });

  it('ends the wait of interactive callers who were there before it', async () => {
    const gate = await startHeld(1, throttled(60));
    const batch = get('batch', 'batch');
    await until(() => gate.held === 1);
    const interactive = caught(get('i'));
    await until(() => waiting() === 1);
    gate.release();
    expect(await interactive).toMatchObject({ code: 'MP_THROTTLED', attempts: 0, retryAfterMs: 60_000 });
    bench.server.always = undefined;
    bench.clock.advance(60_000);
    await Promise.all([batch, get('more')]);
  });

  it('503 with Retry-After holds its own kind of request alone', async () => {
    bench = await startService();
    bench.server.script = [answer(503, '', { 'retry-after': '20' })];
    const batch = bench.service.getToken(systemUser, { priority: 'batch' });
    await until(() => bench.count('attempt-failed') === 1);
    await expect(get('plain')).resolves.toHaveProperty('value');
    const other = { scopes: 'b', systemUser: { organisation: '310000027' } };
    expect(await caught(bench.service.getToken(other))).toMatchObject({ code: 'MP_UPSTREAM', retryAfterMs: 20_000 });
    bench.clock.advance(20_000);
    await get('another');
    await batch;
  });

  it('batch work that is told to wait again and again does not fail', async () => {
    bench = await startService({ http: { maxConnections: 1 }, retry: { attempts: 1 } });
    bench.server.script = Array.from({ length: 6 }, () => throttled(60));
    const batch = get('batch', 'batch');
    for (let round = 1; round <= 6; round += 1) {
      await until(() => bench.count('attempt-failed') === round);
      bench.clock.advance(60_000);
      // The clock stands still for timers, so somebody has to come and look at it.
      await caught(get(`look${round}`));
    }
    await expect(batch).resolves.toHaveProperty('value');
    expect(bench.count('circuit')).toBe(0);
  });
});
