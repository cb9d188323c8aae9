import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from './run.js';

const root = resolve(import.meta.dirname, '../..');
const consumers = resolve(import.meta.dirname, 'consumers');
const folder = mkdtempSync(join(tmpdir(), 'maskinporten-package-'));
const otherNodes = ['22', '24', '26'];
let tarballs: string[] = [];

beforeAll(async () => {
  for (const workspace of ['libs/maskinporten', 'libs/simulator']) {
    await run('npm', ['pack', '--silent', '-w', workspace, '--pack-destination', folder], root);
  }
  tarballs = readdirSync(folder)
    .filter((name) => name.endsWith('.tgz'))
    .map((name) => join(folder, name));
  // The npm packages that hold nothing but a node binary, one per platform.
  const binaries = join(folder, 'nodes');
  cpSync(join(consumers, 'tsconfig.json'), join(binaries, 'tsconfig.json'));
  writeFileSync(join(binaries, 'package.json'), JSON.stringify({ private: true }));
  const platform = `node-${process.platform}-${process.arch}`;
  const aliases = otherNodes.map((version) => `node${version}@npm:${platform}@${version}`);
  await run('npm', ['install', '--silent', '--no-audit', '--no-fund', ...aliases], binaries);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const nodeOf = (version: string): string => join(folder, 'nodes/node_modules', `node${version}`, 'bin/node');

describe('the packed tarballs', () => {
  it('contain what a user needs and nothing that only we need', async () => {
    expect(tarballs).toHaveLength(2);
    for (const tarball of tarballs) {
      const files = (await run('tar', ['-tzf', tarball], folder)).trim().split('\n');
      expect(files).toEqual(
        expect.arrayContaining([
          'package/dist/index.js',
          'package/dist/index.d.ts',
          'package/README.md',
          'package/LICENSE',
        ]),
      );
      expect(files.filter((file) => /\.(spec|fixtures)\.|tsbuildinfo|package\/test\//.test(file))).toEqual([]);
    }
  });

  it.each(['libs/maskinporten', 'libs/simulator'])('%s passes publint and are-the-types-wrong', async (library) => {
    // Both exit with an error, and `run` throws, when anything is wrong.
    await expect(run('npx', ['publint', '--strict', library], root)).resolves.toBeDefined();
    await expect(run('npx', ['attw', '--pack', library, '--profile', 'esm-only'], root)).resolves.toBeDefined();
  });

  it('keep the number of run-time dependencies that the contract allows', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'libs/maskinporten/package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(Object.keys(dependencies).length).toBeLessThanOrEqual(8);
    const defended = readFileSync(join(root, 'docs/dependencies.md'), 'utf8');
    for (const name of Object.keys(dependencies)) expect(defended).toContain(`\`${name}\``);
  });
});

describe.each(['nest11-commonjs', 'nest11-esm', 'nest12-esm'])('a user with %s', (consumer) => {
  const project = join(folder, consumer);

  beforeAll(async () => {
    cpSync(join(consumers, consumer), project, { recursive: true });
    for (const file of ['main.ts', 'tsconfig.json']) cpSync(join(consumers, file), join(project, file));
    const types = ['@types/node@20', 'typescript@6.0.3'];
    await run('npm', ['install', '--silent', '--no-audit', '--no-fund', ...tarballs, ...types], project);
    await run('npx', ['tsc', '-p', '.'], project);
  });

  it.each(['this', ...otherNodes])(
    'installs the tarballs and gets tokens on node %s',
    async (version) => {
      const node = version === 'this' ? process.execPath : nodeOf(version);
      const answer = JSON.parse(await run(node, ['out/main.js'], project)) as object;
      expect(answer).toEqual({
        node: version === 'this' ? process.versions.node.split('.')[0] : version,
        read: 'acme:read',
        write: 'acme:write',
        call: 'acme:read acme:read',
        attached: 'acme:write',
        refused: 'MP_SCOPE',
        printed: false,
      });
    },
    120_000,
  );
});

describe('a user with Jest in a CommonJS project', () => {
  const project = join(folder, 'nest11-jest');
  const { jest } = JSON.parse(readFileSync(join(consumers, 'nest11-jest/package.json'), 'utf8')) as {
    jest: { transform: Record<string, string>; transformIgnorePatterns: string[] };
  };

  it('runs a unit test with the settings that the README names', async () => {
    cpSync(join(consumers, 'nest11-jest'), project, { recursive: true });
    const types = ['@types/node@20', 'typescript@5.9'];
    await run('npm', ['install', '--silent', '--no-audit', '--no-fund', ...tarballs, ...types], project);
    // Jest reports on standard error; without a summary of its own it ends with an error when a test fails.
    const report = await run('npx', ['jest', '--json'], project);
    expect(JSON.parse(report)).toMatchObject({ success: true, numPassedTests: 2, numFailedTests: 0 });
  }, 300_000);

  it('finds these settings in the README', () => {
    const readme = readFileSync(join(root, 'libs/maskinporten/README.md'), 'utf8');
    for (const [pattern, transformer] of Object.entries(jest.transform)) {
      expect(readme).toContain(`transform: { '${pattern.replaceAll('\\', String.raw`\\`)}': '${transformer}' }`);
    }
    expect(readme).toContain(`transformIgnorePatterns: ['${jest.transformIgnorePatterns.join("', '")}']`);
  });
});

describe('a user with esbuild', () => {
  const project = join(folder, 'nest11-commonjs');

  // None of the optional peers is installed there, and a bundler stops at what it cannot find.
  it('bundles an application that has none of the optional peers', async () => {
    await run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--no-save', 'esbuild@0.25'], project);
    const external = ['@nestjs/*', 'maskinporten-simulator'].map((name) => `--external:${name}`);
    const options = ['--bundle', '--platform=node', '--format=cjs', '--outfile=bundle.cjs', ...external];
    await run('npx', ['esbuild', 'out/main.js', ...options], project);
    expect(JSON.parse(await run(process.execPath, ['bundle.cjs'], project))).toMatchObject({ read: 'acme:read' });
  }, 300_000);
});
