import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const read = (path: string): string => readFileSync(path, 'utf8');
const guide = read(join(resolve(import.meta.dirname, '../../../..'), 'docs/doctor.md'));
const pitfalls = read(join(import.meta.dirname, 'doctor-pitfalls.spec.ts'));

const inGuide = guide.split('\n').flatMap((line) => {
  const [, number, findings] = /^\| (\d+) \| [^|]+ \| ([^|]+) \|/.exec(line) ?? [];
  return [...(findings ?? '').matchAll(/`([^`]+)`/g)].map(([, id]) => `${number} ${id}`);
});
/** What the tests of the pitfalls expect as the first cause. */
const inTests = [
  ...[...pitfalls.matchAll(/'([a-z-]+\.[a-z-]+)', (\d+)/g)].map(([, id, number]) => `${number} ${id}`),
  // From a table of its own.
  '16 expiry.key-expires',
  '16 expiry.key-expired',
];

describe('the guide to the doctor', () => {
  it('has a row for each of the 22 pitfalls', () => {
    const rows = new Set(inGuide.map((entry) => Number(entry.split(' ')[0])));
    expect([...rows]).toEqual(Array.from({ length: 22 }, (_, index) => index + 1));
  });

  it('lists exactly the findings that are tested', () => {
    expect([...new Set(inGuide)].toSorted()).toEqual([...new Set(inTests)].toSorted());
  });

  it('names every option that the command has', async () => {
    const { runInProcess } = await import('../cli/cli.fixtures.js');
    const { stdout } = await runInProcess(['doctor', '--help']);
    const options = [...stdout.matchAll(/^ +(?:-\w, )?--([a-z-]+)/gm)].map(([, name]) => name);
    expect(options.length).toBeGreaterThan(10);
    for (const name of options.filter((option) => option !== 'help' && option !== 'version')) {
      expect(guide).toContain(`--${name}`);
    }
  });
});
