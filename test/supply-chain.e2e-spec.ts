import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = resolve(import.meta.dirname, '..');
const read = (path: string): unknown => JSON.parse(readFileSync(resolve(root, path), 'utf8'));

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly license?: string;
}

const { packages } = read('package-lock.json') as { packages: Readonly<Record<string, LockedPackage>> };
const thirdParty = Object.entries(packages).filter(
  ([path, { link }]) => path.includes('node_modules/') && link !== true,
);

/** Everything that a library brings along, by the lookup that Node itself uses. */
function closureOf(library: string): Map<string, LockedPackage> {
  const found = new Map<string, LockedPackage>();
  const visit = (from: string): void => {
    for (const name of Object.keys(packages[from]?.dependencies ?? {})) {
      const parts = from.split('/node_modules/');
      const places = parts.map((_, index) => parts.slice(0, parts.length - index).join('/node_modules/'));
      const path = [...places.map((place) => `${place}/node_modules/${name}`), `node_modules/${name}`].find(
        (candidate) => packages[candidate] !== undefined,
      );
      if (path === undefined) throw new Error(`${name}, wanted by ${from}, is not in the lockfile`);
      if (!found.has(path)) {
        found.set(path, packages[path] ?? {});
        visit(path);
      }
    }
  };
  visit(library);
  return found;
}

const runsScripts = ([, { hasInstallScript }]: [string, LockedPackage]): boolean => hasInstallScript === true;

describe('T-68: the supply chain', () => {
  it('every locked package has an integrity hash and comes from a registry, not from a repository or a URL', () => {
    expect(thirdParty.length).toBeGreaterThan(100);
    for (const [path, { integrity, resolved }] of thirdParty) {
      expect([path, integrity]).toEqual([path, expect.stringMatching(/^sha512-/)]);
      expect([path, resolved ?? '']).toEqual([path, expect.not.stringMatching(/^(git|http:|file:)/)]);
    }
  });

  it.each(['libs/maskinporten', 'libs/simulator'])(
    'nothing that %s brings along runs a script when installed',
    (library) => {
      const closure = closureOf(library);
      expect(closure.size).toBeGreaterThan(0);
      expect(
        [...closure].filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path),
      ).toEqual([]);
    },
  );

  it('T-79: nothing that is installed at the root calls home: each script of an installation is known for what it does', () => {
    const atRunTime = closureOf('');
    expect(atRunTime.size).toBeGreaterThan(100);
    expect([...atRunTime].filter(runsScripts).map(([path]) => path)).toEqual([]);
    const known = new Map([
      ['node_modules/@parcel/watcher', 'builds its native part where there is none for the platform'],
      ['node_modules/@swc/core', 'looks whether its native part is there'],
      ['node_modules/pkcs11js', 'builds its native part; optional'],
      ['node_modules/unrs-resolver', 'looks whether its native part is there'],
    ]);
    const found = thirdParty.filter(runsScripts).map(([path]) => path);
    expect(found.filter((path) => !known.has(path))).toEqual([]);
  });

  it('what only reports installations is replaced by a package that does nothing when it is installed', () => {
    // Of swagger-ui-dist, which loads nothing of it.
    for (const [path, locked] of Object.entries(packages).filter(([name]) => name.endsWith('@scarf/scarf'))) {
      expect([path, locked]).toEqual([path, expect.not.objectContaining({ hasInstallScript: true })]);
    }
  });

  it.each(['libs/maskinporten', 'libs/simulator'])(
    'everything that %s brings along may be used under its licence',
    (library) => {
      const allowed = /^\(?(MIT|ISC|0BSD|Apache-2\.0|BSD-2-Clause|BSD-3-Clause|BlueOak-1\.0\.0|CC0-1\.0|Unlicense)\b/;
      for (const [path, { license }] of closureOf(library)) {
        expect([path, license]).toEqual([path, expect.stringMatching(allowed)]);
      }
    },
  );

  it('the tools of the workspace are pinned to exact versions', () => {
    const { devDependencies } = read('package.json') as { devDependencies: Record<string, string> };
    for (const [name, range] of Object.entries(devDependencies)) {
      expect([name, range]).toEqual([name, expect.stringMatching(/^(?:npm:[^@]*@?[^@]+@)?\d+\.\d+\.\d+/)]);
    }
  });
});
