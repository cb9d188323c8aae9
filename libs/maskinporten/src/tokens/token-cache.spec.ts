import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { normaliseTokenRequest, type NormalisedTokenRequest } from '../grants/index.js';
import { ManualClock } from '../token-endpoint/strict-token-endpoint.fixtures.js';
import { ForcedRefreshes } from './forced-refresh.js';
import { MaskinportenToken } from './index.js';
import { TokenCache } from './token-cache.js';
import { TokenEntry } from './token-entry.js';

let clock: ManualClock;
beforeEach(() => {
  clock = new ManualClock();
});

function entry(lifeMs = 120_000, keyIdentity = 'key', random = 0.5): TokenEntry {
  const start = { wallMs: clock.wall, monotonicMs: clock.monotonic };
  const token = new MaskinportenToken({
    value: 'v',
    scopes: ['a'],
    expiresAt: new Date(start.wallMs + lifeMs),
    jti: 'j',
  });
  return new TokenEntry({ token, keyIdentity, start, lifeMs, window: [0.5, 0.75], random: () => random });
}

const requests = (count: number): NormalisedTokenRequest[] =>
  Array.from({ length: count }, (_, index) => normaliseTokenRequest(`s:${index}`));

describe('TokenCache', () => {
  it('T-70: holds no more than its limit, and forgets what was used least recently', () => {
    const cache = new TokenCache({ maxEntries: 100, clock });
    const [kept, ...others] = requests(1_000) as [NormalisedTokenRequest, ...NormalisedTokenRequest[]];
    cache.set(kept, entry());
    for (const request of others) {
      cache.set(request, entry());
      cache.get(kept);
      expect(cache.size).toBeLessThanOrEqual(100);
    }
    expect(cache.get(kept)).toBeDefined();
    expect(cache.get(others[0] as NormalisedTokenRequest)).toBeUndefined();
  });

  it('lets go of ended tokens as new ones come, faster than they come', () => {
    const cache = new TokenCache({ maxEntries: 10_000, clock });
    const old = requests(400);
    for (const request of old) cache.set(request, entry());
    clock.advance(120_000);
    for (let index = 0; index < 120; index += 1) cache.set(normaliseTokenRequest(`new:${index}`), entry());
    expect(cache.size).toBe(120);
  });

  it('lets go of all ended tokens also when no new ones come, and says when none is left', async () => {
    const empty: number[] = [];
    const onEmpty = (): unknown => empty.push(cache.size);
    const cache: TokenCache = new TokenCache({ maxEntries: 10_000, clock, sweepIntervalMs: 1, onEmpty });
    const old = requests(1_200);
    for (const request of old) cache.set(request, entry());
    const [kept] = old as [NormalisedTokenRequest];
    clock.advance(115_000);
    cache.set(kept, entry());
    while (cache.size > 1) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(cache.get(kept)).toBeDefined();
    expect(empty).toEqual([]);
    clock.advance(115_000);
    while (empty.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect([cache.size, empty]).toEqual([0, [0]]);
  });

  it('F-141: tells of each usable token that had to go, and of no other', () => {
    const evicted: TokenEntry[] = [];
    const cache = new TokenCache({ maxEntries: 2, clock, onEvict: (each) => evicted.push(each) });
    const [a, b, c, d, e] = requests(5) as [NormalisedTokenRequest, ...NormalisedTokenRequest[]];
    const first = entry();
    cache.set(a, first);
    cache.set(b as NormalisedTokenRequest, entry(1_000));
    cache.set(c as NormalisedTokenRequest, entry());
    expect(evicted).toEqual([first]);
    clock.advance(1_000);
    cache.set(d as NormalisedTokenRequest, entry());
    cache.delete(d as NormalisedTokenRequest);
    cache.set(e as NormalisedTokenRequest, entry());
    expect(evicted).toHaveLength(1);
  });

  it('drops the tokens of one key', () => {
    const cache = new TokenCache({ maxEntries: 10, clock });
    const [a, b] = requests(2) as [NormalisedTokenRequest, NormalisedTokenRequest];
    cache.set(a, entry(120_000, 'old'));
    cache.set(b, entry(120_000, 'new'));
    cache.dropKey('old');
    expect([cache.get(a), cache.get(b)?.keyIdentity]).toEqual([undefined, 'new']);
    cache.delete(b);
    expect(cache.size).toBe(0);
  });
});

describe('TokenEntry', () => {
  const lives = fc
    .oneof(fc.integer({ min: 1, max: 3_600 }), fc.double({ min: 0.001, max: 3_600, noNaN: true }))
    .map((seconds) => seconds * 1_000);
  const moves = fc.record({
    wall: fc.integer({ min: -7_200_000, max: 7_200_000 }),
    monotonic: fc.integer({ min: 0, max: 7_200_000 }),
  });

  it('F-102, F-103, F-104: is usable only while both clocks say so, and never after its end', () => {
    fc.assert(
      fc.property(lives, moves, fc.double({ min: 0, max: 0.999, noNaN: true }), (lifeMs, move, random) => {
        clock = new ManualClock();
        const made = entry(lifeMs, 'key', random);
        clock.wall += move.wall;
        clock.monotonic += move.monotonic;
        const elapsed = Math.max(move.wall, move.monotonic);
        const usable = lifeMs - Math.min(5_000, lifeMs * 0.2);
        const state = made.stateAt(clock);
        fc.pre(Math.abs(elapsed - usable) > 0.01 && Math.abs(elapsed - lifeMs) > 0.01);
        expect(made.isUsable(clock)).toBe(elapsed < usable);
        expect(state === 'unusable').toBe(elapsed >= usable);
        expect(made.hasEnded(clock)).toBe(elapsed >= lifeMs);
        expect(state !== 'refresh' || elapsed >= lifeMs * 0.5 - 0.01).toBe(true);
        expect(state !== 'usable' || elapsed <= lifeMs * 0.75 + 0.01).toBe(true);
      }),
      { numRuns: runs(1_000) },
    );
  });

  it('waits a part of its life, at least half a second, after a refresh that failed', () => {
    for (const [lifeMs, random, pauseMs] of [
      [120_000, 0, 3_000],
      [120_000, 1, 9_000],
      [5_000, 0, 500],
      [5_000, 0.9, 1_400],
    ] as const) {
      clock = new ManualClock();
      const made = entry(lifeMs, 'key', 0);
      clock.advance(lifeMs * 0.5);
      expect(made.stateAt(clock)).toBe('refresh');
      made.postponeRefresh({ wallMs: clock.wall, monotonicMs: clock.monotonic }, () => random);
      expect(made.stateAt(clock)).toBe('usable');
      clock.advance(pauseMs - 1);
      expect(made.stateAt(clock)).toBe('usable');
      clock.advance(1);
      expect(made.stateAt(clock)).toBe('refresh');
    }
  });
});

describe('ForcedRefreshes', () => {
  it('T-71: allows one in five seconds per request, for a bounded number of requests', () => {
    const forced = new ForcedRefreshes({ maxEntries: 2, monotonicMs: () => clock.monotonic });
    expect([forced.allow('a'), forced.allow('a'), forced.allow('b')]).toEqual([true, false, true]);
    clock.advance(4_999);
    expect(forced.allow('a')).toBe(false);
    clock.advance(1);
    expect(forced.allow('a')).toBe(true);
  });
});
