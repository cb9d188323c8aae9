import { createClient } from '@redis/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { needs } from '../../../../test/support/needs.js';
import { sized } from '../../../../test/support/size.js';
import { answer, refusal } from '../token-endpoint/strict-token-endpoint.fixtures.js';
import {
  Gate,
  keySource,
  organisations,
  startService,
  until,
  type ServiceBench,
} from '../tokens/token-service.fixtures.js';
import {
  createTokenService,
  type MaskinportenTokenService,
  type TokenServiceConfig,
  type TokenStore,
} from '../tokens/index.js';
import { RedisTokenStore } from './index.js';
import { hasRedis, RedisServer } from './redis-server.fixtures.js';

const KEY = Buffer.alloc(32, 7).toString('base64');
/** A busy machine must not be measured. */
const timeoutMs = 5_000;
const nameIn = (orgno: string): string => JSON.stringify(['https://issuer.invalid/', 'client', `["a"],"${orgno}"`]);

let server: RedisServer;
let redis: ReturnType<typeof createClient>;
const newStore = (): RedisTokenStore => new RedisTokenStore({ connection: redis, key: KEY, timeoutMs });
const oct = (kid: string, byte: number): object => ({
  kty: 'oct',
  kid,
  k: Buffer.alloc(32, byte).toString('base64url'),
});
const make = (...keys: object[]): RedisTokenStore =>
  new RedisTokenStore({ connection: redis, key: JSON.stringify({ keys }), timeoutMs });
const none = (): Promise<null> => Promise.resolve(null);
const done = (): Promise<void> => Promise.resolve();

needs('redis-server', hasRedis, () => {
  beforeAll(async () => {
    server = await RedisServer.start();
    redis = createClient({ url: server.url });
    redis.on('error', () => undefined);
    await redis.connect();
  });
  beforeEach(async () => {
    await redis.flushAll();
  });
  afterAll(async () => {
    redis.destroy();
    await server.close();
  });

  describe.each(['node-redis', 'ioredis'])('RedisTokenStore on a connection of %s', (client) => {
    let store: RedisTokenStore;
    let connection: Redis;
    beforeAll(() => {
      connection = new Redis(server.port, '127.0.0.1', { lazyConnect: true });
      store = new RedisTokenStore({ connection: client === 'ioredis' ? connection : redis, key: KEY, timeoutMs });
    });
    afterAll(() => connection.disconnect());

    it('keeps, finds and deletes values, and locks for one owner at a time', async () => {
      const key = nameIn('310000027');
      expect(await store.get(key)).toBeNull();
      await store.set(key, 'value', 60_000);
      expect(await store.get(key)).toBe('value');
      await store.delete(key);
      expect(await store.get(key)).toBeNull();
      const owner = await store.lock(key, 60_000);
      expect(await store.lock(key, 60_000)).toBeNull();
      await store.unlock(key, 'another');
      expect(await store.lock(key, 60_000)).toBeNull();
      await store.unlock(key, String(owner));
      expect(await store.lock(key, 60_000)).not.toBeNull();
    });
  });

  describe('what lies in Redis', () => {
    it('T-15, T-60: shows no token, no organisation number, no person number', async () => {
      const store = new RedisTokenStore({ connection: redis, key: KEY, timeoutMs });
      const all = organisations(50);
      for (const orgno of all) await store.set(nameIn(orgno), `token-of-${orgno}`, 60_000);
      const names = await redis.keys('*');
      const dump = JSON.stringify([names, await Promise.all(names.map((name) => redis.get(name)))]);
      expect(names).toHaveLength(50);
      expect(dump).not.toContain('token-of');
      expect(all.filter((orgno) => dump.includes(orgno))).toEqual([]);
      for (const part of dump.match(/[\w-]{20,}/g) ?? []) {
        expect(Buffer.from(part, 'base64url').toString()).not.toMatch(/31000\d{4}|token-of/);
      }
    });

    it('F-95, T-61: planted, swapped, truncated and flipped values are misses, and are deleted', async () => {
      const store = new RedisTokenStore({ connection: redis, key: KEY, timeoutMs });
      const other = new RedisTokenStore({ connection: redis, key: Buffer.alloc(32, 8).toString('base64'), timeoutMs });
      const [mine, theirs] = organisations(2).map(nameIn) as [string, string];
      await store.set(theirs, 'of another', 60_000);
      const [name = ''] = await redis.keys('*');
      const swapped = String(await redis.get(name));
      await redis.flushAll();
      await other.set(mine, 'planted', 60_000);
      const planted = String(await redis.get((await redis.keys('*'))[0] ?? ''));
      await redis.flushAll();
      await store.set(mine, 'good', 60_000);
      const [entry = ''] = await redis.keys('*');
      const good = String(await redis.get(entry));
      const damaged = [swapped, planted, '', 'x', '{}', good.replace(/\.[^.]*$/, '.')];
      for (let index = 0; index < sized({ test: 94, soak: 994 }); index += 1) {
        const at = (index * 7) % good.length;
        const flipped = `${good.slice(0, at)}${good[at] === 'A' ? 'B' : 'A'}${good.slice(at + 1)}`;
        damaged.push(index % 2 === 0 ? flipped : good.slice(0, at));
      }
      for (const value of damaged) {
        await redis.set(entry, value);
        await expect(store.get(mine)).rejects.toThrow('not sealed');
        expect(await redis.get(entry)).toBeNull();
      }
      await redis.lPush(entry, good);
      await expect(store.get(mine)).rejects.toThrow('not sealed');
      expect(await redis.exists(entry)).toBe(0);
      await redis.set(entry, good);
      expect(await store.get(mine)).toBe('good');
    });

    it('F-98: what outlives its token is not given', async () => {
      const store = new RedisTokenStore({ connection: redis, key: KEY, timeoutMs });
      await store.set(nameIn('1'), 'short', 1);
      await redis.flushAll();
      // Redis forgets it after a millisecond; where it did not, the end in what is sealed would be looked at.
      await store.set(nameIn('1'), 'short', -60_000);
      const outcome = await store.get(nameIn('1')).catch((error: unknown) => String(error));
      expect([null, 'Error: A stored value was not sealed by this service for its entry; it was deleted.']).toContain(
        outcome,
      );
    });

    it('a key is rotated: the new one seals, the old one still opens, and issuers share nothing', async () => {
      await make(oct('old', 1)).set(nameIn('1'), 'v', 60_000);
      const both = make(oct('new', 2), oct('old', 1));
      expect(await both.get(nameIn('1'))).toBe('v');
      await both.set(nameIn('2'), 'w', 60_000);
      expect(await make(oct('new', 2)).get(nameIn('2'))).toBe('w');
      expect(await make(oct('new', 2)).get(nameIn('1'))).toBeNull();
      expect(await both.get(nameIn('2').replace('issuer', 'other'))).toBeNull();
    });

    it('refuses keys, time-outs and connections that are wrong, and quotes none of them', () => {
      for (const wrong of [
        { connection: redis, key: 'canary' },
        { connection: redis, key: '{"keys":[]}' },
        { connection: redis, key: KEY, timeoutMs: 0 },
        { connection: {} as never, key: KEY },
      ]) {
        expect(() => new RedisTokenStore(wrong)).toThrow(/must be/);
        expect(() => new RedisTokenStore(wrong)).not.toThrow(/canary/);
      }
    });
  });

  describe('a token service with a shared store', () => {
    let bench: ServiceBench;
    let others: MaskinportenTokenService[];
    const replica = async (
      store: TokenStore,
      key: TokenServiceConfig['key'] = keySource(),
    ): Promise<MaskinportenTokenService> => {
      const { server: endpoint, clock } = bench;
      const service = await createTokenService({
        issuer: endpoint.issuer,
        tokenEndpoint: `${endpoint.origin}/token`,
        clientId: 'a-client',
        key,
        clock,
        random: () => 0.5,
        tokens: { store },
        onEvent: (event) => bench.events.push(event),
      });
      others.push(service);
      return service;
    };

    beforeEach(async () => {
      bench = await startService();
      // What is sealed ends by the real clock.
      bench.clock.wall = Date.now();
      others = [];
    });
    afterEach(async () => {
      await Promise.all(others.map(async (service) => service.close()));
      await bench.close();
    });

    it('eight replicas and one cold key: one request, and all have the token', async () => {
      const replicas = await Promise.all(Array.from({ length: 8 }, async () => replica(newStore())));
      const tokens = await Promise.all(replicas.map(async (each) => each.getToken('a')));
      expect(new Set(tokens.map(({ value }) => value)).size).toBe(1);
      expect(bench.requests()).toBe(1);
      expect(replicas.map(({ status }) => status.store?.counts.hit)).toContain(1);
    });

    it('F-96: the holder of the lock dies; another replica asks after a short wait', async () => {
      const store = newStore();
      const held: TokenStore = Object.assign(Object.create(store) as RedisTokenStore, {
        timeoutMs,
        lock: () => Promise.resolve(null),
        get: async (key: string) => store.get(key),
        set: async (key: string, value: string, ttl: number) => store.set(key, value, ttl),
        close: () => Promise.resolve(),
      });
      await expect((await replica(held)).getToken('a')).resolves.toHaveProperty('value');
      expect(bench.requests()).toBe(1);
    });

    it('a token that an API has refused is not taken from the store again', async () => {
      const first = await replica(newStore());
      const token = await first.getToken('a');
      expect((await first.renew(token))?.value).not.toBe(token.value);
      expect(bench.requests()).toBe(2);
    });

    it('a refresh that was under way when its token was refused does not bring its result into the store', async () => {
      let locks = 0;
      const store = newStore();
      const counting: TokenStore = Object.assign(Object.create(store) as RedisTokenStore, {
        timeoutMs,
        get: async (key: string) => store.get(key),
        set: async (key: string, value: string, ttl: number) => store.set(key, value, ttl),
        delete: async (key: string) => store.delete(key),
        unlock: async (key: string, owner: string) => store.unlock(key, owner),
        lock: async (key: string, ttl: number) => {
          locks += 1;
          return store.lock(key, ttl);
        },
      });
      const service = await replica(counting);
      const token = await service.getToken('a');
      const gate = new Gate(bench.server.grant);
      bench.server.always = gate.hold;
      bench.clock.advance(90_000);
      await service.getToken('a');
      await until(() => gate.held === 1);
      const renewing = service.renew(token);
      await until(() => locks === 3);
      gate.release();
      const renewed = await renewing;
      const asked = bench.server.grants.map(({ claims }) => claims['jti']);
      expect(asked.indexOf(renewed?.jti)).toBe(2);
      expect((await (await replica(newStore())).getToken('a')).jti).toBe(renewed?.jti);
    });

    it('a token of a key that was given up does not come back from the store', async () => {
      const service = await replica(newStore(), [keySource(0), keySource(1)]);
      await service.getToken('a');
      bench.server.script.push(refusal('MP-124'));
      await service.getToken('b');
      expect((await service.getToken('a')).kid).toBe('kid-1');
    });

    it('F-132: a replica that starts in an outage uses a stored token that is due for a refresh', async () => {
      const first = await (await replica(newStore())).getToken('a');
      bench.clock.advance(90_000);
      bench.server.always = answer(503, '');
      const second = await replica(newStore());
      expect((await second.getToken('a')).jti).toBe(first.jti);
    });

    it('F-91: a crowd that waits to lock when the store falls silent sends no more', async () => {
      let locks = 0;
      const silent = (): Promise<never> => {
        locks += 1;
        return new Promise(() => undefined);
      };
      const store: TokenStore = { timeoutMs: 20, get: none, set: done, delete: done, lock: silent, unlock: done };
      const service = await replica(store);
      await Promise.all(Array.from({ length: 100 }, async (_, index) => service.getToken(`s${index}`)));
      // 32 at a time, and two failures before the third one says that the store is away.
      expect(locks).toBeLessThanOrEqual(32 + 2);
    });

    it('one look that fails does not keep the tokens of others out of the store', async () => {
      const kept: string[] = [];
      let fail: (() => void) | undefined;
      const store: TokenStore = {
        get: (key) =>
          new Promise((resolve, reject) => {
            if (key.includes('first')) fail = () => reject(new Error('gone'));
            else {
              fail?.();
              setImmediate(resolve, null);
            }
          }),
        set: (key) => {
          kept.push(key);
          return done();
        },
        delete: done,
        lock: () => Promise.resolve('owner'),
        unlock: done,
        timeoutMs,
      };
      const service = await replica(store);
      await Promise.all([service.getToken('first'), service.getToken('second')]);
      expect(kept).toEqual([expect.stringContaining('second')]);
      expect(service.status.store?.counts).toEqual({ hit: 0, miss: 1, refused: 0, unavailable: 1 });
    });

    it('closes with a store that does not, and a store is closed by each of its clients', async () => {
      const shared = await RedisTokenStore.connect(server.url, { key: KEY, timeoutMs });
      await (await replica(shared)).close();
      await (await replica(shared)).close();
      await shared.close();
      const failing = Object.assign(newStore(), { close: () => Promise.reject(new Error('gone')) });
      await expect((await replica(failing)).close()).resolves.toBeUndefined();
    });

    it('tokens of persons and for consents stay in the process', async () => {
      const service = await replica(newStore());
      await service.getToken({ scopes: 'a', pid: '01010750160' }).catch(() => undefined);
      await service
        .getToken({
          scopes: 'a',
          consent: {
            id: 'd5b861c8-8e3b-44cd-9952-5315e5990cf5',
            from: `urn:altinn:organization:identifier-no:${organisations(1)[0]}`,
          },
        })
        .catch(() => undefined);
      expect(await redis.keys('*')).toEqual([]);
    });

    it('T-61: a planted value costs a request and is a security event', async () => {
      const service = await replica(newStore());
      await service.getToken('a');
      const name = (await redis.keys('*')).find((each) => !each.endsWith(':lock')) ?? '';
      await redis.set(name, 'planted');
      const second = await replica(newStore());
      await expect(second.getToken('a')).resolves.toHaveProperty('value');
      expect(bench.events).toContainEqual(
        expect.objectContaining({ type: 'security', what: 'token-store-value-refused' }),
      );
      expect([bench.requests(), second.status.store?.counts.refused]).toEqual([2, 1]);
    });

    it.each([
      ['F-92: refuses the login', 'NOAUTH Authentication required.', 4],
      ['F-93: is loading', 'LOADING Redis is loading the dataset in memory', 4],
      ['F-97: does not get through TLS', 'self-signed certificate', 4],
    ])('%s: no call fails, and after a few commands no more are sent before the probe', async (_, message, most) => {
      let commands = 0;
      const fail = (): Promise<never> => {
        commands += 1;
        return Promise.reject(new Error(message));
      };
      const service = await replica({ get: fail, set: fail, delete: fail, lock: fail, unlock: fail });
      for (const scopes of ['a', 'b', 'c', 'd', 'e', 'f']) await service.getToken(scopes);
      expect(commands).toBeLessThanOrEqual(most);
      expect(service.status.store?.state).toBe('unavailable');
      expect(bench.events.filter(({ type }) => type === 'token-store')).toHaveLength(1);
      bench.clock.advance(30_000);
      const before = commands;
      for (const scopes of ['g', 'h']) await service.getToken(scopes);
      expect(commands - before).toBe(1);
    });

    it.each([
      ['F-93: takes no writes', 'READONLY You cannot write against a read only replica.'],
      ['F-94: has no memory left', "OOM command not allowed when used memory > 'maxmemory'."],
    ])('%s: writes are skipped, reading goes on', async (_, message) => {
      let reads = 0;
      let writes = 0;
      const refuse = (): Promise<never> => {
        writes += 1;
        return Promise.reject(new Error(message));
      };
      const get = (): Promise<null> => {
        reads += 1;
        return Promise.resolve(null);
      };
      const service = await replica({ get, set: refuse, delete: refuse, lock: refuse, unlock: refuse });
      for (const scopes of ['a', 'b', 'c', 'd', 'e', 'f']) await service.getToken(scopes);
      expect([reads, writes]).toEqual([6, 1]);
    });
  });

  describe('a Redis that goes away', () => {
    let bench: ServiceBench;
    afterEach(async () => {
      await bench.close();
    });

    it('F-91: stopped, killed, and back: no call fails, and it is used again after the probe', async () => {
      const away = await RedisServer.start();
      const store = await RedisTokenStore.connect(away.url, { key: KEY, timeoutMs: 100 });
      bench = await startService({ tokens: { store } });
      bench.clock.wall = Date.now();
      try {
        const { service } = bench;
        await service.getToken('a');
        away.stop();
        for (const scopes of ['b', 'c', 'd', 'e', 'f']) await service.getToken(scopes);
        expect(service.status.store?.state).toBe('unavailable');
        away.resume();
        await away.kill();
        for (const scopes of ['g', 'h']) await service.getToken(scopes);
        await away.restart();
        for (let index = 0; service.status.store?.state !== 'available'; index += 1) {
          bench.clock.advance(30_000);
          await service.getToken(`again${index}`);
        }
        expect(bench.count('token-store')).toBe(2);
        expect(bench.count('token-refused')).toBe(0);
      } finally {
        await away.close();
      }
    });

    it('F-90: down at the start: the service runs without it', async () => {
      const store = await RedisTokenStore.connect('redis://127.0.0.1:1', { key: KEY });
      bench = await startService({ tokens: { store } });
      for (const scopes of ['a', 'b', 'c', 'd']) await bench.service.getToken(scopes);
      expect(bench.service.status.store?.state).toBe('unavailable');
    });
  });
});
