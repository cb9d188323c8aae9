import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = resolve(import.meta.dirname, '..');
const range = (letter: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${letter}-${String(from + index).padStart(2, '0')}`);

/** Every fault, threat and standard that the project answers for; a new feature adds its ids here. */
const DELIVERED = [
  ...range('F', 1, 13),
  ...range('F', 20, 25),
  ...range('F', 30, 42),
  ...range('F', 50, 64),
  ...range('F', 70, 72),
  ...range('F', 80, 89),
  ...range('F', 100, 105),
  ...range('F', 110, 120),
  ...range('F', 130, 138),
  ...range('T', 1, 16),
  ...range('T', 20, 32),
  ...range('T', 40, 57),
  'T-59',
  ...range('T', 62, 71),
  ...range('S', 1, 15),
  ...range('S', 17, 18),
  ...range('S', 20, 22),
  'S-26',
];

/** Standards that are met by other tests; T-58, the inbound half of S-16 and S-24, comes with inbound validation. */
const STANDARDS: [id: string, source: string, ids: string[]][] = [
  ['S-16', 'RFC 8725 §3, for the tokens we sign', ['F-116', 'S-01', 'S-03', 'S-12', 'T-59']],
  ['S-24', 'ASVS 5.0 V9 and V10, for a client', ['T-22', 'T-28', 'T-55']],
  [
    'S-25',
    'ASVS 5.0 V11–V14',
    ['F-116', 'S-04', 'S-17', 'T-01', 'T-06', 'T-07', 'T-12', 'T-22', 'T-31', 'F-20', 'F-36'],
  ],
];

function specs(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'dist') return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return specs(path);
    return entry.name.endsWith('spec.ts') && entry.name !== 'ids.e2e-spec.ts' ? [path] : [];
  });
}

/** Ids in the titles of tests and suites; an id in a comment proves nothing. */
const named = new Set(
  ['libs', 'src', 'test'].flatMap((folder) =>
    specs(join(root, folder)).flatMap((path) => {
      const titles = readFileSync(path, 'utf8').match(/['"`][^'"`\n]*\b[FTS]-\d{2,3}\b[^'"`\n]*['"`]/g) ?? [];
      return titles.flatMap((title) => title.match(/\b[FTS]-\d{2,3}\b/g) ?? []);
    }),
  ),
);

describe('the failure reference', () => {
  it.each(DELIVERED)('%s is named by a test', (id) => {
    expect(named).toContain(id);
  });

  it.each(STANDARDS)('%s (%s) is covered by the tests it is mapped to', (_id, _source, ids) => {
    expect(ids.filter((id) => !named.has(id))).toEqual([]);
  });

  it('S-23: the deviations from the FAPI 2.0 Security Profile are documented', () => {
    const text = readFileSync(join(root, 'docs/security.md'), 'utf8');
    expect(text).toMatch(/FAPI 2\.0/);
    expect(text).toMatch(/bearer/i);
    expect(text).toMatch(/RS256/);
  });
});
