import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeKey } from './keys.fixtures.js';
import { KeyRing, loadKeyRing, type KeyChange, type SigningKey } from './index.js';

const fake = (identity: string): SigningKey => ({
  alg: 'RS256',
  kid: identity,
  identity,
  sign: () => Promise.resolve(new Uint8Array()),
});
const [a, b, c, stranger] = [fake('a'), fake('b'), fake('c'), fake('stranger')] as const;

describe('KeyRing', () => {
  it('starts with the first key, the others in order', () => {
    const ring = new KeyRing([a, b, c]);
    expect([ring.current, ring.others, ring.generation]).toEqual([a, [b, c], 0]);
  });

  it('switches once per refused key, and everybody who used it gets the same next key', () => {
    const ring = new KeyRing([a, b]);
    expect(ring.useFallback(a)).toBe(b);
    expect(ring.useFallback(a)).toBe(b);
    expect([ring.current, ring.others, ring.generation]).toEqual([b, [a], 1]);
  });

  it('gives nothing when every key has been refused, and stays where it is', () => {
    const ring = new KeyRing([a, b]);
    ring.useFallback(a);
    expect(ring.useFallback(b)).toBeUndefined();
    expect(ring.useFallback(a)).toBeUndefined();
    expect([ring.current, ring.generation]).toEqual([b, 1]);
  });

  it('a single key has no fallback', () => {
    expect(new KeyRing([a]).useFallback(a)).toBeUndefined();
  });

  it('a key that is not in the ring does not move it', () => {
    const ring = new KeyRing([a, b]);
    expect(ring.useFallback(stranger)).toBe(a);
    expect(ring.generation).toBe(0);
  });

  it('tells listeners which key retired; one that throws or has left hurts nobody', () => {
    const ring = new KeyRing([a, b, c]);
    const changes: KeyChange[] = [];
    ring.onChange(() => {
      throw new Error('listener');
    });
    const stop = ring.onChange((change) => changes.push(change));
    ring.useFallback(a);
    stop();
    ring.useFallback(b);
    expect(changes).toEqual([{ reason: 'refused', previous: a, retired: a, current: b, generation: 1 }]);
  });

  it('property: however callers report, each key is current at most once and the ring never moves back', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(a, b, c, stranger)), (reports) => {
        const ring = new KeyRing([a, b, c]);
        const history: SigningKey[] = [a];
        for (const report of reports) {
          const before = ring.current;
          const next = ring.useFallback(report);
          if (ring.current !== before) history.push(ring.current);
          expect([undefined, ring.current]).toContain(next);
        }
        expect(new Set(history).size).toBe(history.length);
        expect(ring.generation).toBe(history.length - 1);
      }),
    );
  });
});

describe('a ring whose keys change', () => {
  const renewed = fake('renewed');
  const newest = fake('newest');

  it('F-117: a new key signs at once, and the one before it is the first fallback', () => {
    const ring = new KeyRing([a, b]);
    const changes: KeyChange[] = [];
    ring.onChange((change) => changes.push(change));
    ring.replace(0, renewed);
    expect([ring.current, ring.others, ring.fallback]).toEqual([renewed, [a, b], false]);
    expect(changes).toEqual([{ reason: 'reloaded', previous: a, current: renewed, generation: 1 }]);
    expect(ring.useFallback(renewed)).toBe(a);
    expect(ring.fallback).toBe(true);
  });

  it('the key before the previous one is retired', () => {
    const ring = new KeyRing([a]);
    const changes: KeyChange[] = [];
    ring.replace(0, renewed);
    ring.onChange((change) => changes.push(change));
    ring.replace(0, newest);
    expect(changes).toEqual([{ reason: 'reloaded', previous: renewed, current: newest, retired: a, generation: 2 }]);
    expect(ring.others).toEqual([renewed]);
    expect(ring.useFallback(a)).toBe(newest);
  });

  it('a new fallback does not take over while the key before it signs, and does when that one was refused', () => {
    const ring = new KeyRing([a, b]);
    ring.replace(1, renewed);
    expect([ring.current, ring.others]).toEqual([a, [renewed, b]]);
    ring.useFallback(a);
    expect(ring.current).toBe(renewed);
    ring.replace(1, newest);
    expect([ring.current, ring.generation]).toEqual([newest, 2]);
  });

  it('a ring that has fallen back takes the new key of the source that was refused', () => {
    const ring = new KeyRing([a, b]);
    ring.useFallback(a);
    ring.replace(0, renewed);
    expect([ring.current, ring.fallback]).toEqual([renewed, false]);
  });

  it('the same key with another chain replaces itself without a change', () => {
    const ring = new KeyRing([a]);
    const changes: KeyChange[] = [];
    ring.onChange((change) => changes.push(change));
    const again = fake('a');
    ring.replace(0, again);
    expect([ring.current === again, ring.others, changes]).toEqual([true, [], []]);
  });

  it('a refusal is forgotten after a minute, so that a key that was registered late gets its turn', () => {
    let monotonicMs = 0;
    const ring = new KeyRing([a, b], { monotonicMs: () => monotonicMs });
    ring.useFallback(a);
    monotonicMs = 59_999;
    expect(ring.useFallback(b)).toBeUndefined();
    monotonicMs = 60_000;
    expect(ring.useFallback(b)).toBe(a);
  });

  it('activeFrom: the key waits for its day, then takes over, and both are known as fallbacks meanwhile', () => {
    let now = Date.parse('2026-11-30T23:59:59Z');
    const planned = { ...fake('planned'), activeFrom: new Date('2026-12-01') };
    const ring = new KeyRing([planned, b], { now: () => now });
    const changes: KeyChange[] = [];
    ring.onChange((change) => changes.push(change));
    expect([ring.current, ring.others, ring.fallback]).toEqual([b, [planned], false]);
    now = Date.parse('2026-12-01');
    expect([ring.current, ring.others]).toEqual([planned, [b]]);
    expect(changes).toEqual([{ reason: 'scheduled', previous: b, current: planned, generation: 1 }]);
    expect(ring.useFallback(planned)).toBe(b);
  });

  it('activeFrom: before its day the key is used only when every other has been refused', () => {
    const planned = { ...fake('planned'), activeFrom: new Date('2999-01-01') };
    const ring = new KeyRing([planned, b, c]);
    expect(ring.useFallback(b)).toBe(c);
    expect(ring.useFallback(c)).toBe(planned);
    expect(new KeyRing([planned]).current).toBe(planned);
  });
});

describe('loadKeyRing', () => {
  const { pem } = makeKey();

  it('takes one source or a list', async () => {
    expect((await loadKeyRing({ pem, kid: 'one' })).current.kid).toBe('one');
    const ring = await loadKeyRing([
      { pem, kid: 'new' },
      { pem, kid: 'old' },
    ]);
    expect([ring.current.kid, ring.others.map(({ kid }) => kid)]).toEqual(['new', ['old']]);
  });

  it('lists what is wrong with every source', async () => {
    const sources = [{ pem: '', kid: 'k' }, { pem, kid: 'good' }, { pem }];
    await expect(loadKeyRing(sources)).rejects.toMatchObject({
      code: 'MP_CONFIG',
      failures: [{ field: 'key[0].pem' }, { field: 'key[2].kid' }],
    });
    await expect(loadKeyRing({ pem: '' })).rejects.toMatchObject({ failures: [{ field: 'key.pem' }] });
    await expect(loadKeyRing([])).rejects.toMatchObject({ failures: [{ field: 'key' }] });
  });

  it('activeFrom is an ISO date of any source', async () => {
    const ring = await loadKeyRing([
      { pem, kid: 'next', activeFrom: '2999-01-01' },
      { pem, kid: 'now' },
    ]);
    expect([ring.current.kid, ring.others[0]?.activeFrom]).toEqual(['now', new Date('2999-01-01')]);
    await expect(loadKeyRing({ pem, kid: 'k', activeFrom: 'soon' })).rejects.toMatchObject({
      failures: [{ field: 'key.activeFrom' }],
    });
  });

  it.each([[{}], [null], ['pem'], [{ key: 'x' }], [{ pem: 'x', file: 'y' }]])(
    'refuses something that is no source: %j',
    async (source) => {
      await expect(loadKeyRing([source as { pem: string }])).rejects.toMatchObject({
        code: 'MP_CONFIG',
        failures: [{ field: 'key[0]' }],
      });
    },
  );
});
