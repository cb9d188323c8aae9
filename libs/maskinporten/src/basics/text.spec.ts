import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { printable } from './index.js';

describe('printable', () => {
  it.each(['\r', '\n', '\u001b', '\u009b', '\u2028', '\u2029', '\u202e', '\u200b', '\u0000', '\ud800', '\ufeff'])(
    'T-57: removes %j',
    (character) => expect(printable(`a${character}b`)).toBe('ab'),
  );

  it('leaves letters, digits and signs of any script', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('æ', 'Å', '中', '😀', ' ', '"', '\\', '7', '\u00a0') }), (text) => {
        expect(printable(text)).toBe(text);
      }),
    );
  });
});
