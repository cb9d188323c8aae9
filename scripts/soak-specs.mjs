import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const FULL_SIZE = /from '(?:fast-check|(?:\.{1,2}\/)+(?:test\/)?support\/size\.js)'/;

/** The specs that have a full size: they ask `test/support/size.ts`, or have properties of fast-check. */
export function soakSpecs() {
  return ['libs', 'src', 'test']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true })
        .filter((path) => /[.-]spec\.ts$/.test(path) && !path.includes('node_modules'))
        .map((path) => join(folder, path)),
    )
    .filter((spec) => FULL_SIZE.test(readFileSync(join(root, spec), 'utf8')));
}
