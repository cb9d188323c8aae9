import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SEALED_MEMBERS, type AuditRecord } from 'nestjs-maskinporten';
import { csvOf, prefersCsv } from './csv.js';

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

/** The cells of a line, as a program reads them that takes `separator` for the end of a cell. */
function cellsOf(line: string, separator: string): string[] {
  const cells: string[] = [];
  let rest = line;
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"/.exec(rest);
    const [whole, content] = quoted === null ? ['', ''] : [quoted[0], (quoted[1] ?? '').replaceAll('""', '"')];
    rest = rest.slice(whole.length);
    const end = rest.indexOf(separator);
    cells.push(content + (end === -1 ? rest : rest.slice(0, end)));
    if (end === -1) return cells;
    rest = rest.slice(end + separator.length);
  }
}

const line = (facts: Partial<AuditRecord>): string => csvOf([record(facts)]).split('\r\n')[1] ?? '';
const cellOf = (facts: Partial<AuditRecord>, column: string): string | undefined =>
  cellsOf(line(facts), ',')[COLUMNS.indexOf(column)];

describe('cells of the CSV', () => {
  it.each([
    ' =1+1',
    '\u00a0=1',
    '\u200b=1',
    '\ufeff+1',
    '"=1',
    '""@x',
    "'=1",
    '“=1',
    ' " -1',
    '﹦1',
    '﹢1',
    '﹣1',
    '﹫a',
    '\n=1',
    ' \t@a',
  ])('T-57: %j is text, also where a program passes over what stands in front', (value) => {
    expect(line({ externalRef: value }).includes(`'${value.replaceAll('"', '""')}`)).toBe(true);
  });

  it('T-57, T-81: nothing becomes a formula where a semicolon ends a cell, as in a Norwegian Excel', () => {
    expect(cellsOf(line({ externalRef: 'x;=1+1' }), ';')[1]).toMatch(/^'=1/);
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(';', '"', ' ', '=', '@', '-', '+', 'a') }), (text) => {
        for (const separator of [',', ';']) {
          for (const cell of cellsOf(line({ externalRef: text, host: 'next' }), separator)) {
            expect(cell).not.toMatch(/^[\s"]*[=+\-@]/);
          }
        }
      }),
    );
  });

  it('T-57: a list of scopes is text too', () => {
    expect(cellOf({ scopes: ['=1+1', 'a:b'] }, 'scopes')).toBe("'=1+1 a:b");
  });

  it('numbers stay numbers, also below zero; what only holds such a character is as it was', () => {
    expect(cellOf({ durationMs: -5 }, 'durationMs')).toBe('-5');
    for (const value of ['a=b', 'skatteetaten:kravogbetalinger', 'a-b', 'x@y.no', '1;2']) {
      expect(cellOf({ externalRef: value }, 'externalRef')).toBe(value);
    }
  });
});

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
