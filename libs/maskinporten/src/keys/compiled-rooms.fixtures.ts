import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';

/**
 * Compiles rooms into `directory`, as they are shipped, for a process of their own: a heap snapshot of the test runner
 * would hold the test, and its environment and prototypes are not those of a real process.
 */
export function compileRooms(directory: string, rooms: readonly string[]): void {
  const source = join(dirname(fileURLToPath(import.meta.url)), '..');
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  symlinkSync(join(source, '../../../node_modules'), join(directory, 'node_modules'));
  // Every room may use the basics.
  for (const room of new Set(['basics', ...rooms])) {
    mkdirSync(join(directory, room));
    for (const file of readdirSync(join(source, room)).filter((name) => /^[a-z0-9-]+\.ts$/.test(name))) {
      const { code } = transformSync(readFileSync(join(source, room, file), 'utf8'), {
        swcrc: false,
        configFile: false,
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true },
        },
        module: { type: 'es6' },
      });
      writeFileSync(join(directory, room, file.replace(/\.ts$/, '.js')), code);
    }
  }
}
