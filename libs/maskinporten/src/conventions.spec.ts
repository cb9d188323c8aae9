import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !/\.(spec|fixtures)\.ts$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(import.meta.dirname, file), 'utf8') }));
const filesWith = (pattern: RegExp): string[] => files.filter(({ text }) => pattern.test(text)).map(({ file }) => file);

describe('conventions of the library', () => {
  it('sees the sources', () => {
    expect(files.length).toBeGreaterThan(50);
  });

  // It leaks a request's context into later requests on the same socket on Node 20 and 22.
  it('T-40: no source enters an async context with enterWith', () => {
    expect(filesWith(/\.enterWith\s*\(/)).toEqual([]);
  });

  it('F-25: one documented file reads the environment of the process; the command has its own', () => {
    expect(filesWith(/process\.env\b/).filter((file) => !file.startsWith('cli/'))).toEqual(['process-environment.ts']);
  });

  // Called before `node:tls` is loaded, it breaks TLS for the whole process; the one file that calls it loads it first.
  it('reads the names in a certificate in one place', () => {
    expect(filesWith(/\.toLegacyObject\b/)).toEqual(['keys/distinguished-name.ts']);
  });

  it('names what is public by hand: no star exports', () => {
    expect(filesWith(/^export \* /m)).toEqual([]);
  });
});
