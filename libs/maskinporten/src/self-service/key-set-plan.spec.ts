import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { planPublish, planRemoval, type PublicKeyJwk, type RegisteredKey } from './index.js';

const NOW = 1_795_000_000_000;
const DAY = 24 * 3600 * 1000;

const jwk = (kid: string, n = `n-${kid}`): PublicKeyJwk => ({
  kty: 'RSA',
  use: 'sig',
  alg: 'RS256',
  kid,
  n,
  e: 'AQAB',
});
const registered = (kid: string, endsInMs = 100 * DAY): RegisteredKey => {
  const wire = { ...jwk(kid), exp: (NOW + endsInMs) / 1000 };
  return { kid, n: wire.n, e: wire.e, expiresAt: new Date(NOW + endsInMs), wire };
};
const publish = (keys: readonly RegisteredKey[], kid: string, more: { drop?: string; renew?: boolean } = {}) =>
  planPublish({ registered: keys, key: jwk(kid), nowMs: NOW, ...more });
const actions = ({ keys }: ReturnType<typeof publish>): string[] =>
  keys.map(({ kid, action, reason }) => [kid, action, reason].filter(Boolean).join(' '));

describe('the plan of a publication', () => {
  it('adds the key beside the others, which are written back as they are', () => {
    const plan = publish([registered('a')], 'b');
    expect(actions(plan)).toEqual(['a keep', 'b add']);
    expect(plan.wire).toEqual([registered('a').wire, jwk('b')]);
    expect(plan.changes).toBe(true);
  });

  it('changes nothing when the key is there', () => {
    const plan = publish([registered('a'), registered('b')], 'b');
    expect([actions(plan), plan.changes]).toEqual([['a keep', 'b keep'], false]);
  });

  it('renews the key when that is asked for, and when it has ended', () => {
    const asked = publish([registered('a'), registered('b')], 'b', { renew: true });
    expect(actions(asked)).toEqual(['a keep', 'b renew named']);
    expect(asked.wire[1]).toEqual(jwk('b'));
    expect(actions(publish([registered('b', -1000)], 'b'))).toEqual(['b renew expired']);
  });

  it('drops the key that was named, and those that have ended, and says why', () => {
    const plan = publish([registered('a'), registered('gone', -1000), registered('c')], 'd', { drop: 'c' });
    expect(actions(plan)).toEqual(['a keep', 'gone drop expired', 'c drop named', 'd add']);
  });

  it('a key to drop that is gone already is no fault', () => {
    expect(actions(publish([registered('a')], 'b', { drop: 'x' }))).toEqual(['a keep', 'b add']);
  });

  it('never makes room by itself: the sixth key is refused with the names of the five', () => {
    const five = ['a', 'b', 'c', 'd', 'e'].map((kid) => registered(kid));
    expect(() => publish(five, 'f')).toThrow('keys are 5 already, and none has ended: a, b, c, d, e');
    expect(actions(publish(five, 'f', { drop: 'e' })).at(-1)).toBe('f add');
  });

  it('refuses a kid that belongs to another key, and to drop what it publishes', () => {
    const other = { registered: [registered('a')], key: jwk('a', 'another modulus'), nowMs: NOW };
    expect(() => planPublish(other)).toThrow('kid a belongs to another key of the client');
    expect(() => publish([registered('a')], 'a', { drop: 'a' })).toThrow('drop is the key that is to be published');
  });

  it('adds what old registrations lack and the API now demands', () => {
    const old = { kid: 'a', n: 'n-a', e: 'AQAB', wire: { kty: 'RSA', kid: 'a', n: 'n-a', e: 'AQAB' } };
    expect(publish([old], 'b').wire[0]).toEqual(jwk('a'));
  });

  it('for any set: at most five are left, nobody is dropped but the ended and the named, and a second run changes nothing', () => {
    const key = fc.record({
      kid: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
      ends: fc.integer({ min: -5, max: 5 }),
    });
    const set = fc.uniqueArray(key, { maxLength: 5, selector: ({ kid }) => kid });
    const kid = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
    fc.assert(
      fc.property(set, kid, fc.option(kid, { nil: undefined }), (entries, wanted, drop) => {
        fc.pre(drop !== wanted);
        const before = entries.map(({ kid: name, ends }) => registered(name, ends * DAY));
        const alive = before.filter((entry) => Number(entry.expiresAt) > NOW && entry.kid !== drop);
        const room = drop === undefined ? {} : { drop };
        fc.pre(alive.length < 5 || alive.some((entry) => entry.kid === wanted));
        const plan = publish(before, wanted, room);
        const kids = plan.wire.map((entry) => (entry as PublicKeyJwk).kid);
        expect(kids.length).toBeLessThanOrEqual(5);
        expect(kids).toContain(wanted);
        for (const entry of alive) expect(kids).toContain(entry.kid);
        const after = kids.map(
          (name) => before.find((entry) => entry.kid === name && Number(entry.expiresAt) > NOW) ?? registered(name),
        );
        expect(publish(after, wanted, room).changes).toBe(false);
      }),
      { numRuns: runs(1_000) },
    );
  });
});

describe('the plan of a removal', () => {
  it('leaves the others as they are', () => {
    const plan = planRemoval([registered('a'), registered('b')], 'a', NOW);
    expect([actions(plan), plan.wire]).toEqual([['a drop named', 'b keep'], [registered('b').wire]]);
  });

  it('changes nothing when the key is gone', () => {
    expect(planRemoval([registered('b')], 'a', NOW).changes).toBe(false);
  });

  it.each([
    ['alone', [registered('a')]],
    ['beside one that has ended', [registered('a'), registered('b', -1)]],
  ])('never takes the last key that can sign: %s', (_where, keys) => {
    expect(() => planRemoval(keys, 'a', NOW)).toThrow('kid a is the only key of the client that can sign');
  });
});
