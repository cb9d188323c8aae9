import { describe, expect, it } from '@jest/globals';
import { prefersCsv } from './wants-csv.js';

describe('prefersCsv', () => {
  it.each<[string | undefined, boolean]>([
    [undefined, false],
    ['', false],
    ['*/*', false],
    ['text/csv', true],
    ['TEXT/CSV; header=present', true],
    ['text/*', true],
    ['text/csv, application/json', false],
    ['text/csv, */*;q=0.5', true],
    ['text/csv;q=0.4, application/json;q=0.5', false],
    ['text/csv;q=0', false],
    ['application/json', false],
    ['nonsense', false],
  ])('%j: %s', (accept, expected) => {
    expect(prefersCsv(accept)).toBe(expected);
  });

  it('T-62: takes no longer for a long header', () => {
    expect(prefersCsv('text/csv;'.repeat(100_000))).toBe(true);
  });
});
