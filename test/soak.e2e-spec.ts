import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { read, root } from './support/markdown.js';

const soak = (...args: string[]): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, ['scripts/soak.mjs', ...args], { cwd: root, encoding: 'utf8' });

describe('npm run soak', () => {
  const listed = String(soak('--list').stdout).trim().split('\n');

  it('runs specs that are there, those with properties among them', () => {
    expect(listed.filter((spec) => !existsSync(join(root, spec)))).toEqual([]);
    expect(listed).toContain('libs/maskinporten/src/grants/scope.spec.ts');
  });

  it('runs every spec and script that docs/quality.md names', () => {
    const page = read('docs/quality.md');
    const specs = [...page.matchAll(/`([\w/.-]+[.-]spec\.ts)`/g)].map(([, spec]) => spec);
    expect(specs.length).toBeGreaterThan(0);
    expect(listed).toEqual(expect.arrayContaining(specs));
    const scripts = [...page.matchAll(/node (scripts\/[\w-]+\.mjs)/g)].map(([, script]) => script ?? '');
    expect(scripts.filter((script) => !existsSync(join(root, script)))).toEqual([]);
  });

  it('has no step of another name', () => {
    const { status, stderr } = soak('--only', 'hostile-keys,nothing');
    expect([status, String(stderr)]).toEqual([
      2,
      expect.stringMatching(
        /There is no step nothing\. The steps are unit, (e2e, )?(package, )?hostile-keys, soak-health\./,
      ),
    ]);
  });
});
