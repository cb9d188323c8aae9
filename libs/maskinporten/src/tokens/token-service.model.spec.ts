import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { normaliseTokenRequest } from '../grants/index.js';
import { isMaskinportenError } from '../errors/index.js';
import { answer, type Misbehaviour } from '../token-endpoint/strict-token-endpoint.fixtures.js';
import type { MaskinportenToken } from './index.js';
import { startService, turns, until, type ServiceBench } from './token-service.fixtures.js';

const LIFE_SECONDS = 20;
const SCOPES = ['a', 'b'] as const;
type Scope = (typeof SCOPES)[number];
const OUTAGE: readonly string[] = ['MP_UPSTREAM', 'MP_TIMEOUT'];

interface Issued {
  readonly scope: string;
  readonly atMs: number;
}

function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/** What must hold whatever happens: kept beside the service, and checked each time it hands something out. */
class World {
  readonly issued = new Map<string, Issued>();
  readonly refused = new Set<string>();
  readonly held = new Map<Scope, MaskinportenToken>();
  readonly inFlight = new Map<string, number>();
  /** What callers met that may not happen. */
  readonly faults: unknown[] = [];
  mostInFlight = 0;
  pending = 0;
  outage = false;
  readonly bench: ServiceBench;

  constructor(bench: ServiceBench) {
    this.bench = bench;
    bench.server.always = this.#answer;
  }

  readonly #answer: Misbehaviour = (response, request) => {
    const scope = String(this.bench.server.grants.at(-1)?.claims['scope']);
    const atMs = this.bench.clock.monotonic;
    const flying = (this.inFlight.get(scope) ?? 0) + 1;
    this.inFlight.set(scope, flying);
    this.mostInFlight = Math.max(this.mostInFlight, flying);
    setImmediate(() => {
      this.inFlight.set(scope, (this.inFlight.get(scope) ?? 1) - 1);
      if (this.outage) {
        answer(503, '')(response, request);
        return;
      }
      const value = `token-${this.issued.size}`;
      this.issued.set(value, { scope, atMs });
      answer(200, { access_token: value, token_type: 'Bearer', expires_in: LIFE_SECONDS, scope })(response, request);
    });
  };

  take(scope: Scope, token: MaskinportenToken, refusedBefore: ReadonlySet<string>): void {
    const issued = this.issued.get(token.value);
    must(issued?.scope === scope, `a token for ${issued?.scope} was given for ${scope}`);
    must(this.bench.clock.monotonic - issued.atMs < LIFE_SECONDS * 1_000, 'an ended token was given');
    must(!refusedBefore.has(token.value), 'a refused token was given');
    this.held.set(scope, token);
  }

  async settle(): Promise<void> {
    await until(() => this.pending === 0);
    await turns();
  }
}

type Model = Record<string, never>;
type Step = fc.AsyncCommand<Model, World>;
const always = (): boolean => true;
const step = (name: string, run: (world: World) => Promise<void>): Step => ({
  check: always,
  run: async (_, world) => run(world),
  toString: () => name,
});

/** A caller who may leave at once, later or never. What it gets is checked when it gets it. */
const get = (scope: Scope, leave: 'never' | 'now' | 'later'): Step =>
  step(`get(${scope}, leaves ${leave})`, async (world) => {
    const caller = new AbortController();
    const refusedBefore = new Set(world.refused);
    world.pending += 1;
    const options = leave === 'never' ? undefined : { signal: caller.signal };
    const ask = async (): Promise<void> => {
      try {
        world.take(scope, await world.bench.service.getToken(scope, options), refusedBefore);
      } catch (error) {
        const allowed = leave === 'never' ? OUTAGE : [...OUTAGE, 'MP_ABORTED'];
        if (!isMaskinportenError(error) || !allowed.includes(error.code)) world.faults.push(error);
      } finally {
        world.pending -= 1;
      }
    };
    void ask();
    if (leave === 'now') caller.abort();
    if (leave === 'later') setImmediate(() => caller.abort());
  });
const peek = (scope: Scope): Step =>
  step(`peek(${scope})`, async (world) => {
    const token = world.bench.service.peek(normaliseTokenRequest(scope));
    if (token !== undefined) world.take(scope, token, world.refused);
  });
const invalidate = (scope: Scope): Step =>
  step(`invalidate(${scope})`, async (world) => {
    const token = world.held.get(scope);
    if (token === undefined) return;
    world.refused.add(token.value);
    world.bench.service.invalidate(token);
  });
const renew = (scope: Scope): Step =>
  step(`renew(${scope})`, async (world) => {
    const token = world.held.get(scope);
    if (token === undefined) return;
    const renewed = await world.bench.service.renew(token).catch(() => undefined);
    must(renewed?.value !== token.value, 'the refused token was given again');
  });
const advance = (ms: number): Step => step(`advance(${ms})`, async (world) => world.bench.clock.advance(ms));
const sleepWall = (ms: number): Step => step(`sleep(${ms})`, async (world) => void (world.bench.clock.wall += ms));
const outage = (on: boolean): Step => step(`outage(${on})`, async (world) => void (world.outage = on));
const settle = (): Step => step('settle', async (world) => world.settle());

const scopes = fc.constantFrom(...SCOPES);
const commands = fc.commands(
  [
    fc
      .tuple(scopes, fc.constantFrom('never' as const, 'now' as const, 'later' as const))
      .map(([scope, leave]) => get(scope, leave)),
    scopes.map((scope) => get(scope, 'never')),
    scopes.map(peek),
    scopes.map(invalidate),
    scopes.map(renew),
    fc.integer({ min: 1, max: 12_000 }).map(advance),
    fc.integer({ min: 1, max: 30_000 }).map(sleepWall),
    fc.boolean().map(outage),
    fc.constant(settle()),
  ],
  { maxCommands: 25 },
);

describe('T-46: the token service as a model', () => {
  it('gives only live tokens of the right scope, never one that was refused, whoever leaves and whatever fails', async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', onUnhandled);
    try {
      await fc.assert(
        fc.asyncProperty(commands, async (list) => {
          const started = await startService({ random: () => 0 });
          const world = new World(started);
          try {
            await fc.asyncModelRun(() => ({ model: {}, real: world }), list);
            await world.settle();
            // Everybody who wants a token shares one flight; an invalidated one may still be on its way beside it.
            expect(world.mostInFlight).toBeLessThanOrEqual(3);
            expect(world.faults).toEqual([]);
            expect(unhandled).toEqual([]);
          } finally {
            await started.close();
          }
        }),
        { numRuns: runs(60) },
      );
    } finally {
      process.off('unhandledRejection', onUnhandled);
    }
  });
});
