import { AsyncResource } from 'node:async_hooks';
import { Agent } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios, { type AxiosInstance } from 'axios';
import {
  bufferTime,
  concatMap,
  firstValueFrom,
  from,
  mergeMap,
  shareReplay,
  Subject,
  take,
  toArray,
  type Observable,
} from 'rxjs';
import fc from 'fast-check';
import { runs, sized } from '../../../../test/support/size.js';
import { attachMaskinporten } from './attach-maskinporten.js';
import { MaskinportenContext } from './maskinporten-context.js';
import { startRecordingServer, startWorld, type World } from './outbound.fixtures.js';

const REQUESTS = sized({ test: 400, soak: 10_000 });
const SOCKETS = 8;

// Jest's own realm has no gc(), and --expose-gc on the command line would be needed by everybody who runs the tests.
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Started at boot, outside any context, as workers are. */
const startWorker = <Job, Result>(
  work: (jobs: Observable<Job>) => Observable<Result>,
): [Subject<Job>, Promise<Result[]>] => {
  const jobs = new Subject<Job>();
  return [jobs, firstValueFrom(work(jobs).pipe(toArray()))];
};

describe('MaskinportenContext', () => {
  let world: World;
  let http: AxiosInstance;

  beforeAll(async () => {
    world = await startWorld();
    http = axios.create({ baseURL: world.simulator.apiUrl });
    attachMaskinporten(http, world.tokens, { destinations: [world.simulator.apiUrl] });
  });
  afterAll(async () => world?.close());

  const scopeOfCall = async (maskinporten?: string): Promise<string> => {
    const { data } = await http.get<{ scope: string }>('/whoami', maskinporten === undefined ? {} : { maskinporten });
    return data.scope;
  };

  it('is there while the function runs, in everything it starts, and nowhere else', async () => {
    expect(MaskinportenContext.current).toBeUndefined();
    const later = MaskinportenContext.run('acme:a', async () => {
      expect(MaskinportenContext.current?.request.scopes).toEqual(['acme:a']);
      await new Promise((resolve) => setImmediate(resolve));
      return scopeOfCall();
    });
    expect(MaskinportenContext.current).toBeUndefined();
    expect(await later).toBe('acme:a');
  });

  it('gives back what the function gives, and lets its failure through', () => {
    expect(MaskinportenContext.run('acme:a', () => 7)).toBe(7);
    expect(() =>
      MaskinportenContext.run('acme:a', () => {
        throw new Error('mine');
      }),
    ).toThrow('mine');
    expect(MaskinportenContext.current).toBeUndefined();
  });

  it('nests: the inner request replaces the outer one for its own duration', async () => {
    const seen = await MaskinportenContext.run('acme:a', async () => [
      await scopeOfCall(),
      await MaskinportenContext.run({ scopes: ['acme:b', 'acme:c'] }, async () => scopeOfCall()),
      await scopeOfCall(),
    ]);
    expect(seen).toEqual(['acme:a', 'acme:b acme:c', 'acme:a']);
  });

  it('T-47: parallel branches keep their own scopes', async () => {
    const seen = await MaskinportenContext.run('acme:read', async () =>
      Promise.all([
        scopeOfCall(),
        MaskinportenContext.run('acme:a', async () => scopeOfCall()),
        MaskinportenContext.run('acme:b', async () => scopeOfCall()),
        scopeOfCall('acme:c'),
      ]),
    );
    expect(seen).toEqual(['acme:read', 'acme:a', 'acme:b', 'acme:c']);
  });

  it('holds a frozen request and nothing secret', () => {
    MaskinportenContext.run({ scopes: 'acme:a', systemUser: { organisation: '310000027' } }, () => {
      const current = MaskinportenContext.current;
      expect(Object.isFrozen(current) && Object.isFrozen(current?.request)).toBe(true);
      expect(Object.isFrozen(current?.request.scopes) && Object.isFrozen(current?.request.systemUser)).toBe(true);
      expect(Object.keys(current ?? {}).toSorted()).toEqual(['client', 'request']);
    });
  });

  it('does not follow a caller who changes the request afterwards', () => {
    const mine = { scopes: ['acme:a'], systemUser: { organisation: '310000027' } };
    MaskinportenContext.run(mine, () => {
      mine.scopes.push('acme:b');
      mine.systemUser.organisation = '310000019';
      expect(MaskinportenContext.current?.request).toMatchObject({
        scopes: ['acme:a'],
        systemUser: { organisation: '310000027' },
      });
    });
  });

  it('T-55: refuses a malformed request before the function runs', () => {
    let ran = false;
    expect(() => MaskinportenContext.run('a"b', () => (ran = true))).toThrow(
      expect.objectContaining({ code: 'MP_REQUEST' }),
    );
    expect(ran).toBe(false);
  });

  it('T-54: interleaved contexts never mix, for any order of steps', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 0, max: 4 })), {
          minLength: 2,
          maxLength: 20,
        }),
        async (jobs) => {
          await Promise.all(
            jobs.map(async ([scope, steps]) =>
              MaskinportenContext.run(`acme:${scope}`, async () => {
                for (let step = 0; step < steps; step += 1) {
                  await (step % 2 === 0 ? Promise.resolve() : new Promise((resolve) => setImmediate(resolve)));
                  expect(MaskinportenContext.current?.request.scope).toBe(`acme:${scope}`);
                }
              }),
            ),
          );
          expect(MaskinportenContext.current).toBeUndefined();
        },
      ),
      { numRuns: runs(200) },
    );
  });

  // A fetch that many callers share and timers that refresh tokens must not run in, or keep, anybody's context.
  it('T-44, T-45: the token service’s own work runs in no caller’s context', async () => {
    const seen: unknown[] = [];
    const stop = world.tokens.onEvent(() => seen.push(MaskinportenContext.current));
    await MaskinportenContext.run({ scopes: 'acme:a acme:b acme:c' }, async () => scopeOfCall());
    stop();
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every((context) => context === undefined)).toBe(true);
  });

  describe('T-42: where the context of the caller is not the context of the work', () => {
    it('a Subject with a worker: a queued job runs in the first one’s context, so each job brings its own request', async () => {
      const [bare, mixed] = startWorker<string, string>((jobs) => jobs.pipe(concatMap(async () => scopeOfCall())));
      const [named, right] = startWorker<string, string>((jobs) =>
        jobs.pipe(concatMap(async (scope) => scopeOfCall(scope))),
      );
      const [nested, alsoRight] = startWorker<string, string>((jobs) =>
        jobs.pipe(concatMap(async (scope) => MaskinportenContext.run(scope, async () => scopeOfCall()))),
      );
      for (const scope of ['acme:a', 'acme:b']) {
        MaskinportenContext.run(scope, () => {
          for (const jobs of [bare, named, nested]) jobs.next(scope);
        });
      }
      for (const jobs of [bare, named, nested]) jobs.complete();
      expect(await mixed).toEqual(['acme:a', 'acme:a']);
      expect(await right).toEqual(['acme:a', 'acme:b']);
      expect(await alsoRight).toEqual(['acme:a', 'acme:b']);
    });

    it('bufferTime and other batches: one request per batch, given explicitly', async () => {
      const [jobs, done] = startWorker<string, string[]>((source) =>
        source.pipe(
          bufferTime(5),
          mergeMap(async (scopes) => Promise.all(scopes.map(async (scope) => scopeOfCall(scope)))),
        ),
      );
      MaskinportenContext.run('acme:read', () => jobs.next('acme:a'));
      MaskinportenContext.run('acme:write', () => jobs.next('acme:b'));
      jobs.complete();
      expect((await done).flat().toSorted()).toEqual(['acme:a', 'acme:b']);
    });

    it('a pool of callbacks: AsyncResource.bind keeps the waiter’s context', async () => {
      const waiting: (() => void)[] = [];
      const waiter = MaskinportenContext.run('acme:a', () => {
        return new Promise<string>((resolve) => waiting.push(AsyncResource.bind(() => resolve(scopeOfCall()))));
      });
      MaskinportenContext.run('acme:b', () => waiting.shift()?.());
      expect(await waiter).toBe('acme:a');
    });

    it('T-43: a shared Observable runs once, in the context of its first subscriber: share inside one scope only', async () => {
      const shared = from([0]).pipe(
        mergeMap(async () => scopeOfCall()),
        shareReplay(1),
        take(1),
      );
      const first = await MaskinportenContext.run('acme:a', async () => firstValueFrom(shared));
      const second = await MaskinportenContext.run('acme:b', async () => firstValueFrom(shared));
      expect([first, second]).toEqual(['acme:a', 'acme:a']);
    });
  });

  it('T-13: after many requests the runtime holds on to none of their contexts', async () => {
    const api = await startRecordingServer();
    api.answer = (_request, response) => {
      api.arrivals.length = 0;
      response.end('{}');
    };
    const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });
    const instance = axios.create({ baseURL: api.origin, httpAgent: agent });
    const detach = attachMaskinporten(instance, world.tokens, { destinations: [api.origin] });
    const seen: WeakRef<object>[] = [];
    const one = async (): Promise<void> =>
      MaskinportenContext.run({ scopes: ['acme:read'] }, async () => {
        const scope = MaskinportenContext.current;
        if (scope === undefined) throw new Error('there is no context');
        seen.push(new WeakRef(scope));
        await instance.get('/claims');
      });
    for (let sent = 0; sent < REQUESTS; sent += 50) await Promise.all(Array.from({ length: 50 }, one));

    expect(seen).toHaveLength(REQUESTS);
    // A WeakRef keeps its target until the turn of the event loop ends.
    for (let round = 0; round < 3; round += 1) {
      await nextTurn();
      collectGarbage();
    }
    const alive = seen.filter((reference) => reference.deref() !== undefined).length;
    // An idle socket holds the context it was opened in and that of its last request: a number that does not grow.
    expect(alive).toBeLessThanOrEqual(2 * SOCKETS);
    detach();
    agent.destroy();
    await api.close();
  });
});
