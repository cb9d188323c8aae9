import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readEnvironment, VARIABLES } from '../src/config/index.js';
import { codeBlocks, fullErrorTable, pages, read, relativeLinks, root, withErrorTable } from './support/markdown.js';

/** Where the blocks pretend to be: inside the workspace, so that they see its packages. */
const nameOf = (index: number): string => join(root, 'test', `documentation-block-${index}.ts`);

describe('documentation', () => {
  it('docs/errors.md lists every error code with its facts', () => {
    const page = 'docs/errors.md';
    const wanted = withErrorTable(read(page), fullErrorTable());
    // After a change of the codes: UPDATE_DOCS=1, as CONTRIBUTING.md says.
    if (process.env['UPDATE_DOCS'] !== undefined) writeFileSync(join(root, page), wanted);
    expect(read(page)).toBe(wanted);
  });

  it('README.md is short enough to be read', () => {
    const prose = read('README.md').replaceAll(/^```.*?^```/gms, '');
    expect(prose.split(/\s+/).length).toBeLessThan(1_200);
  });

  it('docs/architecture.md shows every room', () => {
    const [, config = ''] = read('.dependency-cruiser.cjs').split('const rooms = {');
    const [list = ''] = config.split('\n};', 1);
    const rooms = [...list.matchAll(/^ {2}'?([\w-]+)'?: \[/gm)].map(([, room = '']) => room);
    expect(rooms.length).toBeGreaterThan(20);
    const [, drawing = ''] = read('docs/architecture.md').split('## Rooms and arrows');
    expect(rooms.filter((room) => !new RegExp(`(^|[ ,])${room}([ ,]|$)`, 'm').test(drawing))).toEqual([]);
  });

  it.each(pages)('%s links to files that exist', (page) => {
    const missing = relativeLinks(page).filter((target) => !existsSync(resolve(root, dirname(page), target)));
    expect(missing).toEqual([]);
  });

  describe('code', () => {
    const blocks = pages.flatMap((page) => codeBlocks(page, 'ts'));
    const problems = new Map<string, string[]>();

    /** All blocks in one program, against the sources, as if they stood in files of the workspace. */
    beforeAll(() => {
      const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (file) => readFileSync(file, 'utf8')) as {
        config: object;
      };
      const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root);
      const texts = new Map(blocks.map(({ code }, index) => [nameOf(index), code]));
      texts.set(nameOf(blocks.length), "const wrong: number = 'text'; export {};");
      const disk = ts.createCompilerHost(options);
      const host: ts.CompilerHost = {
        ...disk,
        fileExists: (file) => texts.has(file) || disk.fileExists(file),
        readFile: (file) => texts.get(file) ?? disk.readFile(file),
        getSourceFile: (file, languageVersion, ...rest) => {
          const text = texts.get(file);
          return text === undefined
            ? disk.getSourceFile(file, languageVersion, ...rest)
            : ts.createSourceFile(file, text, languageVersion, true);
        },
      };
      const program = ts.createProgram([...texts.keys()], { ...options, noEmit: true }, host);
      for (const [index, { page, line }] of [...blocks, { page: 'wrong', line: 1 }].entries()) {
        const file = program.getSourceFile(nameOf(index));
        const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
        problems.set(
          nameOf(index),
          found.map(({ start = 0, messageText }) => {
            const at = file?.getLineAndCharacterOfPosition(start).line ?? 0;
            return `${page}:${line + at} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
          }),
        );
      }
    });

    it.each(blocks.map(({ page, line }, index) => [page, line, index] as const))(
      '%s, line %i: the example compiles',
      (_page, _line, index) => {
        expect(problems.get(nameOf(index))).toEqual([]);
      },
    );

    it('finds mistakes at all', () => {
      expect(blocks.length).toBeGreaterThan(8);
      expect(problems.get(nameOf(blocks.length))).toEqual([expect.stringContaining('wrong:1 ')]);
    });
  });
});

describe('.env.example', () => {
  const text = read('.env.example');
  const assigned = [...text.matchAll(/^([A-Z0-9_]+)=(.*)$/gm)].map(
    ([, name = '', value = '']) => [name, value] as const,
  );

  it('explains every setting of the service, and nothing else', () => {
    expect(assigned.map(([name]) => name).toSorted()).toEqual(VARIABLES.toSorted());
    for (const [name] of assigned) {
      // A comment stands above each variable, or above the group it belongs to.
      expect(text).toMatch(new RegExp(`^#.*\\n(?:[A-Z0-9_]+=.*\\n)*${name}=`, 'm'));
    }
  });

  it('is a demo as it stands, and marks what is secret', () => {
    expect(readEnvironment(Object.fromEntries(assigned))).toMatchObject({ PORT: 3000, LOG_LEVEL: 'log' });
    for (const name of [
      'MASKINPORTEN_PRIVATE_KEY',
      'MASKINPORTEN_PRIVATE_KEY_PASSPHRASE',
      'MASKINPORTEN_PKCS12_PASSPHRASE',
      'MASKINPORTEN_CLIENT_JWK',
      'ALTINN_SUBSCRIPTION_KEY',
      'API_KEYS',
      'DATABASE_URL',
      'DATABASE_MIGRATION_URL',
    ]) {
      expect(text).toMatch(new RegExp(`^# SECRET.*\\n(?:#.*\\n)*${name}=`, 'm'));
    }
  });
});
