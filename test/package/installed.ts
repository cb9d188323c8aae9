import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from './run.js';

export const root = resolve(import.meta.dirname, '../..');
const consumers = join(import.meta.dirname, 'consumers');
const install = ['install', '--silent', '--no-audit', '--no-fund', '--prefer-offline'];

/** What the packages are for those who install them: the tarballs, one project for each version of Nest, and Nodes. */
export class Installed {
  readonly folder = mkdtempSync(join(tmpdir(), 'maskinporten-package-'));
  tarballs: readonly string[] = [];

  async pack(): Promise<void> {
    await run(
      'npm',
      ['pack', '--silent', '-w', 'libs/maskinporten', '-w', 'libs/simulator', '--pack-destination', this.folder],
      root,
    );
    this.tarballs = readdirSync(this.folder)
      .filter((name) => name.endsWith('.tgz'))
      .map((name) => join(this.folder, name));
  }

  /**
   * Installs the tarballs into a copy of a consumer's project, and compiles the program of its users.
   *
   * @param users folders of the project; one `node_modules` serves those who import and those who require
   */
  async project(name: string, users: readonly string[]): Promise<void> {
    const project = join(this.folder, name);
    cpSync(join(consumers, name), project, { recursive: true });
    for (const user of users) {
      mkdirSync(join(project, user), { recursive: true });
      cpSync(join(consumers, 'main.ts'), join(project, user, 'main.ts'));
    }
    await run('npm', [...install, ...this.tarballs], project);
    await this.bin(name, 'tsc', ['-p', '.']);
  }

  /** Runs a program that is installed in a project. */
  async bin(project: string, program: string, args: readonly string[], cwd = ''): Promise<string> {
    const folder = join(this.folder, project);
    return run(join(folder, 'node_modules/.bin', program), args, join(folder, cwd));
  }

  /** Installs the npm packages that hold nothing but a Node binary, one per platform. */
  async nodes(versions: readonly string[]): Promise<void> {
    const folder = join(this.folder, 'nodes');
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }));
    const platform = `node-${process.platform}-${process.arch}`;
    await run('npm', [...install, ...versions.map((version) => `node${version}@npm:${platform}@${version}`)], folder);
  }

  node(version: string): string {
    return join(this.folder, 'nodes/node_modules', `node${version}`, 'bin/node');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
