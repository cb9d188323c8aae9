import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { readKeySet } from './registered-key.js';

const KEY = { kty: 'RSA', kid: 'a', n: 'n', e: 'AQAB' };

describe('a set of keys as the API answers it', () => {
  it('is read with what it holds besides', () => {
    const entry = { ...KEY, use: 'sig', exp: 1_795_000_000, x5c: ['AA'], anything: { else: true } };
    expect(readKeySet({ keys: [entry], last_updated: '2026-11-24T12:00:00.5+01:00', created: 'x' })).toEqual({
      keys: [{ kid: 'a', n: 'n', e: 'AQAB', expiresAt: new Date(1_795_000_000_000), wire: entry }],
      changedAt: new Date('2026-11-24T11:00:00.500Z'),
    });
  });

  it.each([undefined, 'tomorrow', Number.POSITIVE_INFINITY, 1e300, null])('does without an end: %p', (exp) => {
    expect(readKeySet({ keys: [{ ...KEY, exp }] })?.keys[0]).not.toHaveProperty('expiresAt');
  });

  it.each([undefined, 'some-timestamp', 5])('does without the time of its last change: %p', (changed) => {
    const { keys, ...rest } = readKeySet({ keys: [KEY], last_updated: changed }) ?? {};
    expect([keys?.length, rest]).toEqual([1, { changedAt: undefined }]);
  });

  it.each([
    ['nothing', undefined],
    ['a list', [KEY]],
    ['no list of keys', { keys: KEY }],
    ['a key that is none', { keys: [KEY, null] }],
    ['a key without kid', { keys: [{ ...KEY, kid: undefined }] }],
    ['a key without modulus', { keys: [{ ...KEY, n: 5 }] }],
    ['a key without exponent', { keys: [{ ...KEY, e: null }] }],
  ])('%s is no set, for it could not be written back whole', (_what, json) => {
    expect(readKeySet(json)).toBeUndefined();
  });

  it('whatever is answered, it is a set or it is not', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (keys, other) => {
        for (const json of [keys, { keys }, { keys: [keys] }, { keys: [{ ...KEY, exp: other }], last_updated: keys }]) {
          const set = readKeySet(json);
          expect(set === undefined || Array.isArray(set.keys)).toBe(true);
        }
      }),
      { numRuns: runs(1_000) },
    );
  });
});
