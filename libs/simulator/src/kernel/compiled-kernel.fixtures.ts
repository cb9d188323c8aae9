import { mkdirSync, mkdtempSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from '@swc/core';

/**
 * The kernel as it is shipped, for a process of its own: what Node says on the real `process` (warnings) is not heard in
 * the test runner's.
 * @returns a directory with `kernel/index.js`.
 */
export function compiledKernel(): string {
  const directory = mkdtempSync(join(tmpdir(), 'simulator-kernel-'));
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  symlinkSync(join(import.meta.dirname, '../../../../node_modules'), join(directory, 'node_modules'));
  mkdirSync(join(directory, 'kernel'));
  for (const file of readdirSync(import.meta.dirname).filter((name) => /^[a-z-]+\.ts$/.test(name))) {
    const { code } = transformSync(readFileSync(join(import.meta.dirname, file), 'utf8'), {
      swcrc: false,
      configFile: false,
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'es6' },
    });
    writeFileSync(join(directory, 'kernel', file.replace(/\.ts$/, '.js')), code);
  }
  return directory;
}
