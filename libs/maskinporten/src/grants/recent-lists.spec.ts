import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecentLists } from './recent-lists.js';

const lists = fc.array(fc.constantFrom('a', 'b', 'ab', ''), { maxLength: 3 });

describe('RecentLists', () => {
  it('finds a list by its content only, and never another one', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(lists, { selector: (list) => JSON.stringify(list), maxLength: 8 }),
        lists,
        (known, asked) => {
          const recent = new RecentLists<string>();
          for (const list of known) recent.add(list, JSON.stringify(list));
          const expected = known.some((list) => JSON.stringify(list) === JSON.stringify(asked));
          expect(recent.find([...asked])).toBe(expected ? JSON.stringify(asked) : undefined);
        },
      ),
    );
  });

  it('does not take other types for strings', () => {
    const recent = new RecentLists<number>();
    recent.add(['1'], 1);
    expect(recent.find([1])).toBeUndefined();
    expect(recent.find([['1']])).toBeUndefined();
  });

  it('keeps eight and forgets the oldest, or all of them when told to', () => {
    const recent = new RecentLists<number>();
    for (let index = 0; index < 9; index += 1) recent.add([String(index)], index);
    expect(recent.find(['0'])).toBeUndefined();
    for (let index = 1; index < 9; index += 1) expect(recent.find([String(index)])).toBe(index);
    recent.clear();
    expect(recent.find(['5'])).toBeUndefined();
  });
});
