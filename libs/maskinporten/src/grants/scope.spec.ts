import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { parseScopes } from './index.js';

describe('parseScopes', () => {
  it.each([
    ['b a', ['a', 'b']],
    [' b  a ', ['a', 'b']],
    [
      ['b', 'a', 'b'],
      ['a', 'b'],
    ],
    ['altinn:serviceowner/instances.read', ['altinn:serviceowner/instances.read']],
    [['move/dpo.read'], ['move/dpo.read']],
  ])('reads %j', (input, scopes) => {
    expect(parseScopes(input)).toEqual({ scopes });
  });

  it.each([
    '',
    '   ',
    [],
    [''],
    [' '],
    ['a b'],
    ['a', 'b c'],
    ['a\tb'],
    ['a\nb'],
    ['a\u00a0b'],
    ['a"'],
    ['a\\'],
    ['æ'],

    'a\tb',
    'a\nb',
    'a"b',
    'å',
    ['a', 1],
    [null],
    [['a']],
    [new String('a')],
    undefined,
    null,
    7,
    {},
    new Set(['a']),
  ])('T-55: refuses %j', (input) => {
    expect(parseScopes(input)).toHaveProperty('reason');
  });

  it('refuses a list with a hole', () => {
    const holes: string[] = ['a'];
    holes[2] = 'b';
    expect(parseScopes(holes)).toEqual({ reason: 'element 1 is not a string' });
  });

  it('says why', () => {
    expect(parseScopes(7)).toEqual({ reason: 'must be a string or a list of strings' });
    expect(parseScopes(' ')).toEqual({ reason: 'at least one scope is required' });
    expect(parseScopes(['a', 'b c'])).toEqual({
      reason: 'element 1 is not a scope: printable ASCII without spaces, quotes and backslashes',
    });
  });

  it('T-55: whatever is accepted consists of RFC 6749 §3.3 scope tokens, sorted and each once', () => {
    const inputs = fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.string({ unit: 'binary', maxLength: 5 })));
    fc.assert(
      fc.property(inputs, (input) => {
        const result = parseScopes(input);
        if ('reason' in result) return;
        expect(result.scopes.length).toBeGreaterThan(0);
        for (const scope of result.scopes) expect(scope).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
        expect(parseScopes(result.scopes.join(' '))).toEqual(result);
        expect(new Set(typeof input === 'string' ? input.split(' ').filter(Boolean) : input)).toEqual(
          new Set(result.scopes),
        );
      }),
      { numRuns: runs(1_000) },
    );
  });

  it('T-51: reads each element once, so that what was checked is what is used', () => {
    let reads = 0;
    const shifty = ['a'];
    Object.defineProperty(shifty, 0, { get: () => (reads++ === 0 ? 'a' : 'a evil'), enumerable: true });
    expect(parseScopes(shifty)).toEqual({ scopes: ['a'] });
  });
});
