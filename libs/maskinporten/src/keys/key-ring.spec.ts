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
    expect(changes).toEqual([{ retired: a, current: b, generation: 1 }]);
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
