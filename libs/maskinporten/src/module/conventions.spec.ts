import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const library = join(import.meta.dirname, '..');
const files = readdirSync(library, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !/\.(spec|fixtures)\.ts$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(library, file), 'utf8') }));
const filesWith = (pattern: RegExp): string[] => files.filter(({ text }) => pattern.test(text)).map(({ file }) => file);

describe('conventions of the library', () => {
  it('sees the sources', () => {
    expect(files.length).toBeGreaterThan(50);
  });

  // It leaks a request's context into later requests on the same socket on Node 20 and 22.
  it('T-40: no source enters an async context with enterWith', () => {
    expect(filesWith(/\.enterWith\s*\(/)).toEqual([]);
  });

  it('F-25: documented files read the environment of the process; the command has its own', () => {
    const readers = filesWith(/process\.env\b|\benv\b.* from 'node:process'/);
    expect(readers.filter((file) => !file.startsWith('cli/')).toSorted()).toEqual([
      'environment/process-environment.ts',
      // Where calls are proxied, when the option says so.
      'http/proxy-settings.ts',
      // Whether this is production.
      'issuer/check-insecure-hosts.ts',
      // What the system needs goes on to the process of an HSM's library, and that process takes what it is given.
      'pkcs11/hsm-worker.ts',
      'pkcs11/system-environment.ts',
    ]);
  });

  // Called before `node:tls` is loaded, it breaks TLS for the whole process; the one file that calls it loads it first.
  it('reads the names in a certificate in one place', () => {
    expect(filesWith(/\.toLegacyObject\b/)).toEqual(['certificates/distinguished-name.ts']);
  });

  it('names what is public by hand: no star exports', () => {
    expect(filesWith(/^export \* /m)).toEqual([]);
  });

  // Bundlers follow what stands in an import, and stop where an optional peer is not installed.
  it('optional peers are named in the rooms that need them only, which the root does not enter', () => {
    const { peerDependenciesMeta } = JSON.parse(readFileSync(join(library, '../package.json'), 'utf8')) as {
      peerDependenciesMeta: Record<string, { optional: boolean }>;
    };
    const rooms = new Set<string>();
    for (const peer of Object.keys(peerDependenciesMeta)) {
      const named = new RegExp(`(?:from|import|import\\(|require\\() ?'${peer}(?:/[^']*)?'`);
      const users = files.filter(({ text }) =>
        named.test(text.replaceAll(/typeof import\([^)]*\)|import type [^;]*;/g, '')),
      );
      for (const { file } of users) rooms.add(file.split('/')[0] ?? '');
    }
    expect([...rooms].toSorted()).toEqual(['audit-postgres', 'aws-kms', 'health', 'redis']);
    const entered = reached('index.ts');
    expect(entered.size).toBeGreaterThan(100);
    expect([...entered].filter((file) => rooms.has(file.split('/')[0] ?? ''))).toEqual([]);
  });
});

/** The files that loading `start` loads, now or later. */
function reached(start: string, seen = new Set<string>()): Set<string> {
  if (seen.has(start)) return seen;
  seen.add(start);
  const text = files.find(({ file }) => file === start)?.text.replaceAll(/(?:import|export) type [^;]*;/g, '') ?? '';
  for (const [, specifier = ''] of text.matchAll(/(?:from|import|import\() ?'(\.[^']+)\.js'/g)) {
    reached(join(start, '..', `${specifier}.ts`), seen);
  }
  return seen;
}
