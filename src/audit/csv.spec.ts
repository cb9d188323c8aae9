import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SEALED_MEMBERS, type AuditRecord } from 'nestjs-maskinporten';
import { csvOf } from './csv.js';

const COLUMNS = [...SEALED_MEMBERS, 'hash'];
const record = (facts: Partial<AuditRecord>): AuditRecord => ({
  writer: 'w',
  seq: 1,
  previous: '0',
  hash: 'h',
  kind: 'call-intent',
  at: '2026-01-31T12:00:00.000Z',
  ...facts,
});

/** A reader of RFC 4180 that knows nothing of the writer. */
function parse(csv: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === '\r\n') rows.push([]);
  }
  return rows.filter((row) => row.length > 1);
}

describe('csvOf', () => {
  it('has a line of names, and a column for every member that the hash covers', () => {
    const [names, first] = parse(csvOf([record({ scopes: ['a:b', 'c:d'], status: 200, host: 'api.example' })]));
    expect(names).toEqual(COLUMNS);
    const cells = Object.fromEntries(COLUMNS.map((column, index) => [column, first?.[index]]));
    expect(cells).toMatchObject({ scopes: 'a:b c:d', status: '200', host: 'api.example', caller: '', hash: 'h' });
    expect(csvOf([])).toBe(`${COLUMNS.join(',')}\r\n`);
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx', '＝1', '＋1', '－1', '＠a'])(
    'T-57: keeps a spreadsheet from running %j',
    (value) => {
      const [, first] = parse(csvOf([record({ externalRef: value })]));
      expect(first?.[COLUMNS.indexOf('externalRef')]).toBe(`'${value}`);
    },
  );

  it('T-57: no text can end its cell, and no cell begins like a formula', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', '=', '@', '-', 'a', ' ', 'ø') }), (text) => {
        const rows = parse(csvOf([record({ externalRef: text, host: 'next' })]));
        expect(rows).toHaveLength(2);
        const cell = rows[1]?.[COLUMNS.indexOf('externalRef')];
        expect([text, `'${text}`]).toContain(cell);
        expect(cell).not.toMatch(/^[=+\-@\t\r]/);
        expect(rows[1]?.[COLUMNS.indexOf('host')]).toBe('next');
      }),
    );
  });
});
