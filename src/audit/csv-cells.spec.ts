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
