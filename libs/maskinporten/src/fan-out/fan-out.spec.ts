import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import { sized } from '../../../../test/support/size.js';
import { createError } from '../errors/index.js';
import { normaliseTokenRequest } from '../grants/index.js';
import { DestinationList, MaskinportenContext, attachMaskinporten, type OutboundClient } from '../outbound/index.js';
import { CallObservers, ClientRegistry, RequestContext } from '../signals/index.js';
import { answer, refusal } from '../token-endpoint/strict-token-endpoint.fixtures.js';
import { organisations, startService, turns, until, type ServiceBench } from '../tokens/token-service.fixtures.js';
import { BatchTokens } from './batch-tokens.js';
import { OutageWatch } from './outage-watch.js';
import { MaskinportenFanOut, type FanOutOptions, type FanOutOutcome, type FanOutProgress } from './index.js';

let bench: ServiceBench;
let fanOut: MaskinportenFanOut;
const request = (consumerOrg: string): { scopes: string; consumerOrg: string } => ({ scopes: 'a', consumerOrg });
const busy = answer(503, '');

async function start(config: Parameters<typeof startService>[0] = {}): Promise<void> {
  bench = await startService({ random: () => 0, ...config });
  const clients = new ClientRegistry<OutboundClient>();
  const { service: tokens } = bench;
  clients.register({ name: 'default', tokens, destinations: new DestinationList([]), observers: new CallObservers() });
  fanOut = new MaskinportenFanOut(clients as unknown as ClientRegistry);
}

async function collect<Item, Value>(
  outcomes: AsyncIterable<FanOutOutcome<Item, Value>>,
): Promise<FanOutOutcome<Item, Value>[]> {
  const all: FanOutOutcome<Item, Value>[] = [];
  for await (const outcome of outcomes) all.push(outcome);
  return all;
}

const count = (outcomes: readonly FanOutOutcome<unknown, unknown>[], status: 'done' | 'failed'): number =>
  outcomes.filter((outcome) => outcome.status === status).length;

async function* broken(): AsyncGenerator<string> {
  yield* organisations(3);
  await turns(1);
  throw new Error('the database is gone');
}

const runWith = (options: object) => () => fanOut.run([], { request, ...options }, () => turns(1));

describe('MaskinportenFanOut', () => {
  beforeEach(async () => start());
  afterEach(async () => {
    await bench.close();
  });

  it('gives each piece of work its token and its context, as batch, and the caller’s own request context', async () => {
    const context = new RequestContext({ requestId: 'nightly-1' });
    const outcomes = await RequestContext.run(context, () =>
      collect(
        fanOut.run(organisations(5), { request }, (orgno, { token }) => {
          const { current } = MaskinportenContext;
          const seen = [current?.request.consumerOrg, current?.priority, RequestContext.current()?.requestId];
          return Promise.resolve([orgno, token.scopes, seen]);
        }),
      ),
    );
    for (const { item, ...outcome } of outcomes) {
      expect(outcome).toEqual({ status: 'done', value: [item, ['a'], [item, 'batch', 'nightly-1']] });
    }
    expect(outcomes.map(({ item }) => item).toSorted()).toEqual(organisations(5).toSorted());
  });

  it('takes from an endless source only what it works on, and lets go of it when the loop is left', async () => {
    let taken = 0;
    let closed = false;
    function* endless(): Generator<string> {
      try {
        for (;;) yield organisations((taken += 1)).at(-1) as string;
      } finally {
        closed = true;
      }
    }
    const ended: boolean[] = [];
    let finished = 0;
    let read = 0;
    for await (const outcome of fanOut.run(endless(), { request, concurrency: 4 }, async (_, { signal }) => {
      signal.addEventListener('abort', () => ended.push(true));
      await turns(3);
      finished += 1;
      return finished;
    })) {
      expect(outcome.status).toBe('done');
      read += 1;
      if (read === 20) break;
    }
    expect(closed).toBe(true);
    expect(taken).toBeLessThanOrEqual(20 + 4 + 4 + 1);
    expect(ended.length).toBeGreaterThan(0);
    const atEnd = finished;
    await turns();
    expect(finished).toBe(atEnd);
  });

  it('one item’s failure stays its own: no token, a request that is not valid, work that throws', async () => {
    const all = organisations(sized({ test: 100, soak: 5_000 }));
    const tenth = new Set(all.filter((_, index) => index % 10 === 0));
    bench.server.always = (response, incoming) => {
      const { claims } = bench.server.grants.at(-1) as { claims: { consumer_org?: string } };
      const refused = tenth.has(String(claims.consumer_org));
      (refused ? refusal('MP-251', 'forbidden', 403) : bench.server.grant)(response, incoming);
    };
    const worked: string[] = [];
    const items = [...all, 'not a number', 'throws'];
    const outcomes = await collect(
      fanOut.run(items, { request: (item) => (item === 'throws' ? 'b' : request(item)) }, async (item) => {
        worked.push(item);
        await turns(1);
        if (item === 'throws') throw new Error('own fault');
        return item;
      }),
    );
    expect([count(outcomes, 'done'), count(outcomes, 'failed')]).toEqual([all.length - tenth.size, tenth.size + 2]);
    expect(worked.filter((item) => tenth.has(item))).toEqual([]);
    expect(new Set(worked).size).toBe(worked.length);
    const of = (item: string): unknown => outcomes.find((outcome) => outcome.item === item);
    expect(of('not a number')).toMatchObject({ status: 'failed', error: { code: 'MP_REQUEST' } });
    expect(of('throws')).toMatchObject({ status: 'failed', error: { message: 'own fault' } });
    expect(of(all[0] as string)).toMatchObject({ status: 'failed', error: { code: 'MP_NOT_DELEGATED' } });
  });

  it('F-143: an outage in the middle is waited out, and no work is done twice', async () => {
    const all = organisations(sized({ test: 60, soak: 2_000 }));
    let served = 0;
    bench.server.always = (response, incoming) => {
      served += 1;
      (served > 20 ? busy : bench.server.grant)(response, incoming);
    };
    const seen: FanOutProgress[] = [];
    const worked: string[] = [];
    const run = collect(
      fanOut.run(
        all,
        { request, concurrency: 4, total: all.length, onProgress: (progress) => seen.push(progress) },
        async (item) => {
          worked.push(item);
          await turns(1);
        },
      ),
    );
    await until(() => bench.count('circuit') > 0);
    await turns();
    expect(seen.at(-1)?.pausedSince).toBeInstanceOf(Date);
    const before = worked.length;
    await turns();
    expect(worked).toHaveLength(before);
    bench.server.always = undefined;
    bench.clock.advance(60_000);
    const outcomes = await run;
    expect([count(outcomes, 'done'), count(outcomes, 'failed')]).toEqual([all.length, 0]);
    expect(worked.toSorted()).toEqual(all.toSorted());
    expect(seen.at(-1)).toMatchObject({ done: all.length, failed: 0, running: 0, total: all.length, etaMs: 0 });
    expect(seen.at(-1)?.pausedSince).toBeUndefined();
    expect(seen.at(-1)?.perSecond).toBeGreaterThan(0);
  });

  it('F-143: items fail with the outage’s error when it lasts longer than maxOutageMs, and their work does not run', async () => {
    bench.server.always = busy;
    let worked = 0;
    const options: FanOutOptions<string> = { request, concurrency: 4, maxOutageMs: 50 };
    const outcomes = await collect(
      fanOut.run(organisations(6), options, async () => {
        worked += 1;
        await turns(1);
      }),
    );
    expect([count(outcomes, 'failed'), worked]).toEqual([6, 0]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ error: { code: 'MP_UPSTREAM' } });
  });

  it('a slow reader slows the work: at most `concurrency` outcomes wait', async () => {
    let begun = 0;
    const run = fanOut.run(organisations(40), { request, concurrency: 3 }, async () => {
      begun += 1;
      await turns(1);
    });
    let read = 0;
    for await (const { status } of run) {
      expect(status).toBe('done');
      read += 1;
      await turns(10);
      expect(begun).toBeLessThanOrEqual(read + 3);
    }
    expect(read).toBe(40);
  });

  it('a slow reader slows an endless source also when no item gets a token', async () => {
    let taken = 0;
    function* endless(): Generator<string> {
      for (;;) yield `not a number ${(taken += 1)}`;
    }
    let read = 0;
    for await (const { status } of fanOut.run(endless(), { request, concurrency: 3 }, () => turns(1))) {
      expect(status).toBe('failed');
      read += 1;
      await turns(10);
      expect(taken).toBeLessThanOrEqual(read + 3 + 3 + 1);
      if (read === 10) break;
    }
  });

  it('F-131: a token that was fetched ahead and has ended meanwhile is not handed to the work', async () => {
    const { clock, service } = bench;
    const outcomes = await collect(
      fanOut.run(organisations(4), { request, concurrency: 1 }, async (_, { token }) => {
        const leftMs = token.expiresAt.getTime() - clock.wallMs();
        await turns();
        await until(() => service.status.connections.inUse === 0);
        clock.advance(3_600_000);
        return leftMs > 0;
      }),
    );
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'done', value: true });
  });

  it('F-143: an item that fails alone fails after maxOutageMs, although others get tokens', async () => {
    const outage = new OutageWatch({ nowMs: () => performance.now(), onChange: () => undefined });
    const getToken = (): Promise<never> => {
      outage.ended();
      return Promise.reject(createError('MP_UPSTREAM', { message: 'down', retryAfterMs: 1 }));
    };
    const tokens = new BatchTokens({ getToken }, outage, 20);
    const getting = tokens.get(normaliseTokenRequest('a'), new AbortController().signal);
    await expect(getting).rejects.toMatchObject({ code: 'MP_UPSTREAM' });
    tokens.close();
  });

  it('a source that throws ends the run with that error, after what runs has been handed over', async () => {
    const read: unknown[] = [];
    const loop = async (): Promise<void> => {
      for await (const { status } of fanOut.run(broken(), { request }, () => turns(20))) read.push(status);
    };
    await expect(loop()).rejects.toThrow('the database is gone');
    expect(read).toEqual(['done', 'done', 'done']);
  });

  it('its signal ends the run: the work hears it, what runs is handed over, and the loop throws', async () => {
    const controller = new AbortController();
    const read: unknown[] = [];
    let begun = 0;
    const options = { request, concurrency: 2, signal: controller.signal };
    const loop = async (): Promise<void> => {
      for await (const outcome of fanOut.run(organisations(50), options, async (_, { signal }) => {
        begun += 1;
        if (begun === 4) controller.abort();
        await until(() => begun < 4 || signal.aborted);
      }))
        read.push(outcome.status);
    };
    await expect(loop()).rejects.toMatchObject({ code: 'MP_ABORTED' });
    expect(read).toHaveLength(begun);
    await expect(collect(fanOut.run(['x'], options, () => turns(1)))).rejects.toMatchObject({ code: 'MP_ABORTED' });
  });

  it('refuses options that are wrong, and a client that there is not', () => {
    for (const [field, value] of Object.entries({ request: 'a', concurrency: 0, maxOutageMs: -1 })) {
      expect(runWith({ [field]: value })).toThrow(field);
    }
    expect(runWith({ client: 'nobody' })).toThrow('nobody');
  });

  it('calls of axios carry the token of their item', async () => {
    const api = createServer((incoming, response) => response.end(incoming.headers.authorization)).listen(
      0,
      '127.0.0.1',
    );
    await once(api, 'listening');
    const origin = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    try {
      const instance = axios.create({ baseURL: origin });
      attachMaskinporten(instance, bench.service, { destinations: [origin] });
      const outcomes = await collect(
        fanOut.run(organisations(8), { request }, async (_, { token }) => {
          const { data } = await instance.get<string>('/');
          return data === `Bearer ${token.value}`;
        }),
      );
      for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'done', value: true });
    } finally {
      api.close();
      api.closeAllConnections();
    }
  });
});
