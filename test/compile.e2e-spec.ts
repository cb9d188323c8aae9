import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const repository = join(import.meta.dirname, '..');
const { compile } = (await import(join(repository, 'scripts/compile.mjs'))) as {
  readonly compile: (root: string) => Promise<readonly string[]>;
};

const SOURCES = {
  'package.json': '{ "name": "workspace", "type": "module" }',
  'src/main.ts': `import { VALUE } from 'nestjs-maskinporten';\nconsole.log(VALUE satisfies number);\n`,
  'src/main.spec.ts': `throw new Error('a test is not run');\n`,
  'libs/maskinporten/package.json': '{ "name": "nestjs-maskinporten", "type": "module", "exports": "./dist/index.js" }',
  'libs/maskinporten/src/index.ts': 'export const VALUE: number = 1;\n',
  'libs/maskinporten/src/tables/0001.sql': 'SELECT 1;\n',
  'libs/simulator/package.json': '{ "name": "maskinporten-simulator", "type": "module", "exports": "./dist/index.js" }',
  'libs/simulator/src/index.ts': 'export {};\n',
};
const ALL = Object.keys(SOURCES).filter((path) => !path.endsWith('.spec.ts'));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'compile-'));
  for (const [path, content] of Object.entries(SOURCES)) write(path, content);
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'), 'junction');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

/** What `npm start` runs, as it runs it. */
async function run(): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(root, '.run/dist/main.js')]);
  return stdout.trim();
}

const compiled = (path: string): string => readFileSync(join(root, '.run', path), 'utf8');

describe('what npm start compiles', () => {
  it('is everything that runs the first time, and then nothing', async () => {
    expect((await compile(root)).toSorted()).toEqual(ALL.toSorted());
    expect(await run()).toBe('1');
    expect(compiled('libs/maskinporten/dist/tables/0001.sql')).toBe('SELECT 1;\n');
    expect(readdirSync(join(root, '.run/dist'))).toEqual(['main.js']);
    expect(await compile(root)).toEqual([]);
  });

  it('is exactly what changed, by content: not a file that was only touched', async () => {
    await compile(root);
    utimesSync(join(root, 'src/main.ts'), new Date(), new Date());
    expect(await compile(root)).toEqual([]);
    write('libs/maskinporten/src/index.ts', 'export const VALUE: number = 2;\n');
    expect(await compile(root)).toEqual(['libs/maskinporten/src/index.ts']);
    expect(await run()).toBe('2');
    write('libs/maskinporten/src/tables/0001.sql', 'SELECT 2;\n');
    expect(await compile(root)).toEqual(['libs/maskinporten/src/tables/0001.sql']);
    expect(await compile(root)).toEqual([]);
  });

  it('follows a change of branch to older files, there and back', async () => {
    await compile(root);
    const longAgo = new Date(0);
    write('src/more.ts', 'export const MORE = 1;\n');
    write('libs/maskinporten/src/index.ts', 'export const VALUE: number = 3;\n');
    utimesSync(join(root, 'libs/maskinporten/src/index.ts'), longAgo, longAgo);
    expect((await compile(root)).toSorted()).toEqual(['libs/maskinporten/src/index.ts', 'src/more.ts']);
    expect(await run()).toBe('3');
    write('libs/maskinporten/src/index.ts', SOURCES['libs/maskinporten/src/index.ts']);
    rmSync(join(root, 'src/more.ts'));
    expect((await compile(root)).toSorted()).toEqual(['libs/maskinporten/src/index.ts', 'src/more.ts']);
    expect(await run()).toBe('1');
    expect(readdirSync(join(root, '.run/dist'))).toEqual(['main.js']);
  });

  it('is everything again after it was interrupted, and when another compiler wrote it', async () => {
    await compile(root);
    // Nothing can be written where the second file goes: as if the process had ended there.
    rmSync(join(root, '.run/dist/main.js'));
    mkdirSync(join(root, '.run/dist/main.js/in-the-way'), { recursive: true });
    write('libs/maskinporten/src/index.ts', 'export const VALUE: number = 4;\n');
    write('src/main.ts', `${SOURCES['src/main.ts']}// changed\n`);
    await expect(compile(root)).rejects.toThrow(/EISDIR|ENOTEMPTY|EPERM|EEXIST/);
    // The sources are back to what the last whole run saw; what is there is not.
    write('libs/maskinporten/src/index.ts', SOURCES['libs/maskinporten/src/index.ts']);
    write('src/main.ts', SOURCES['src/main.ts']);
    rmSync(join(root, '.run/dist/main.js'), { recursive: true });
    expect((await compile(root)).toSorted()).toEqual(ALL.toSorted());
    expect(await run()).toBe('1');
    const manifest = JSON.parse(compiled('manifest.json')) as object;
    write('.run/manifest.json', JSON.stringify({ ...manifest, compiler: 'another' }));
    expect(await compile(root)).toHaveLength(ALL.length);
    expect(await compile(root)).toEqual([]);
  });

  it('leaves what is there when a source cannot be parsed, and says where', async () => {
    await compile(root);
    write('libs/maskinporten/src/index.ts', 'export const VALUE: number = 5;\n');
    write('src/main.ts', 'const x = ;\n');
    await expect(compile(root)).rejects.toThrow(/main\.ts/);
    expect(await run()).toBe('1');
  });

  it('runs when two do it at once', async () => {
    cpSync(join(repository, 'scripts'), join(root, 'scripts'), { recursive: true });
    const command = [join(root, 'scripts/compile.mjs')];
    await Promise.all([1, 2, 3].map(() => promisify(execFile)(process.execPath, command)));
    expect(await run()).toBe('1');
    expect(await compile(root)).toEqual([]);
  });

  it('has stack traces that name the sources', async () => {
    write('src/main.ts', '\n\ntype Nothing = undefined;\n\nthrow new Error("here");\n');
    await compile(root);
    const failed = promisify(execFile)(process.execPath, ['--enable-source-maps', join(root, '.run/dist/main.js')]);
    await expect(failed).rejects.toMatchObject({ stderr: expect.stringMatching(/src\/main\.ts:5:/) as unknown });
  });
});
