import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { read, root } from './support/markdown.js';

/** Pages that explain ids, with the letter that those of each page begin with. */
const PAGES = { 'docs/reference/faults.md': 'F', 'docs/reference/threats.md': 'T', 'docs/reference/standards.md': 'S' };
const ID = /\b[FTS]-\d{2,3}\b/g;
const ELSEWHERE = new Set(['node_modules', 'dist', '.git']);

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (ELSEWHERE.has(entry.name) || entry.name.startsWith('.')) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}

const files = [...['libs', 'src', 'test', 'docs', 'bench', 'scripts', 'deploy'].flatMap(filesIn), ...readdirSync(root)]
  .filter((path) => /\.(?:ts|mjs|cjs|sql|md|ya?ml)$/.test(path) && !path.endsWith('ids.e2e-spec.ts'))
  .map((path) => ({ path, text: read(path) }));
const specs = files.filter(({ path }) => path.endsWith('spec.ts'));

interface Explained {
  readonly id: string;
  readonly sentence: string;
  readonly tested: string;
}

const rowsOf = (page: string): Explained[] =>
  [...read(page).matchAll(/^\| ([FTS]-\d{2,3}) +\| (.+?) *\| (.+?) *\|$/gm)].map(
    ([, id = '', sentence = '', tested = '']) => ({ id, sentence, tested }),
  );
const explained = Object.keys(PAGES).flatMap(rowsOf);

/** Ids in the titles of tests and suites of a spec; an id in a comment proves nothing. */
const idsInTitles = (text: string): string[] =>
  (text.match(/['"`][^'"`\n]*\b[FTS]-\d{2,3}\b[^'"`\n]*['"`]/g) ?? []).flatMap((title) => title.match(ID) ?? []);
const named = new Set(specs.flatMap(({ text }) => idsInTitles(text)));

describe('ids of faults, threats and standards', () => {
  it.each(Object.entries(PAGES))('%s explains each of its ids once', (page, letter) => {
    const ids = rowsOf(page).map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(20);
    expect(ids.filter((id) => !id.startsWith(letter))).toEqual([]);
    expect(ids).toEqual([...new Set(ids)]);
    for (const { id, sentence } of rowsOf(page))
      expect([id, sentence]).toEqual([id, expect.stringMatching(/\S \S.*\.$/)]);
  });

  it('are all explained, wherever they are mentioned', () => {
    const known = new Set(explained.map(({ id }) => id));
    const strangers = files.flatMap(({ path, text }) =>
      (text.match(ID) ?? []).filter((id) => !known.has(id)).map((id) => `${path}: ${id}`),
    );
    expect(strangers).toEqual([]);
  });

  it('are tested by the files that the page names', () => {
    const wrong = explained.flatMap(({ id, tested }) =>
      [...tested.matchAll(/`([^`]+spec\.ts)`/g)]
        .map(([, path = '']) => path)
        .filter((path) => !specs.some((spec) => spec.path === path && idsInTitles(spec.text).includes(id)))
        .map((path) => `${id}: ${path}`),
    );
    expect(wrong).toEqual([]);
  });

  it.each(explained)('$id is named by the title of a test, or the page says why not', ({ id, tested }) => {
    const page = /^written down in `(.+)`$/.exec(tested)?.[1];
    const isSaid = /^not yet: \S+ \S+/.test(tested) || (page !== undefined && existsSync(join(root, page)));
    const ids = isSaid ? [] : (/^with (.*)$/.exec(tested)?.[1]?.match(ID) ?? [id]);
    expect(ids.filter((each) => !named.has(each))).toEqual([]);
    // What came in the meantime is not said to be missing.
    expect(tested.startsWith('not yet') && named.has(id)).toBe(false);
  });

  it('S-23: the deviations from the FAPI 2.0 Security Profile are documented', () => {
    const text = read('docs/security.md');
    expect(text).toMatch(/FAPI 2\.0/);
    expect(text).toMatch(/bearer/i);
    expect(text).toMatch(/RS256/);
  });
});

describe('what comments and pages point to', () => {
  it('is in the repository, or public', () => {
    const ours = new Set(files.filter(({ path }) => path.endsWith('.md')).map(({ path }) => basename(path)));
    const pointers = files.flatMap(({ path, text }) => {
      const internal = text.match(/\b(?:failure|protocol|altinn)(?:[\s*]+)reference\b|\breference §/gi) ?? [];
      const pages = (text.match(/(?<![\w/.-]|https?:[^\s)]*)[\w./-]*\w\.md\b/g) ?? []).filter(
        (page) => !ours.has(basename(page)) && !existsSync(join(root, dirname(path), page)),
      );
      return [...internal, ...pages].map((pointer) => `${path}: ${pointer}`);
    });
    expect(pointers).toEqual([]);
  });

  it('has an address on the page of sources', () => {
    const sources = [
      ...read('docs/reference/sources.md').matchAll(/^\| ((?:Digdir|Altinn|Skatteetaten|NAV), .+?) +\| </gm),
    ];
    const known = new Set(sources.map(([, name]) => name));
    expect(known.size).toBeGreaterThan(20);
    const unknown = files
      .filter(({ path }) => path.endsWith('.ts'))
      .flatMap(({ path, text }) =>
        [...text.matchAll(/[(;] ?((?:Digdir|Altinn|Skatteetaten|NAV), [\w -]+?)(?=[);,])/g)]
          .map(([, name = '']) => name)
          .filter((name) => !known.has(name))
          .map((name) => `${path}: ${name}`),
      );
    expect(unknown).toEqual([]);
  });
});
