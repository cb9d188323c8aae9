import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { compileRooms } from '../keys/compiled-rooms.fixtures.js';

/** Loads the rooms twice from two folders, as npm does with two versions, and asks each in a process of its own. */
function said(script: string): string {
  const folders = ['one', 'two'].map((name) => mkdtempSync(join(tmpdir(), `maskinporten-copy-${name}-`)));
  try {
    for (const folder of folders) compileRooms(folder, ['errors']);
    const [one = '', two = ''] = folders.map((folder) => JSON.stringify(join(folder, 'errors/module-not-imported.js')));
    const source = `
      const one = await import(${one});
      const two = await import(${two});
      ${script}`;
    return execFileSync(process.execPath, ['--input-type=module', '-e', source]).toString().trim();
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true });
  }
}

describe('a module that is not imported', () => {
  it('is one that is not there at all', () => {
    expect(said(`console.log(one.moduleNotImported('@Scopes').message)`)).toContain(
      '@Scopes is used, but MaskinportenModule is not imported: add MaskinportenModule.forRoot(…)',
    );
  });

  it('F-151: is one of another copy of the package, and then that is said', () => {
    const message = said(`two.moduleImported(); console.log(one.moduleNotImported('@Scopes').message)`);
    expect(message).toContain('two copies of the package are loaded');
    expect(message).toContain('npm ls nestjs-maskinporten');
  });

  it('was imported in another application of the same copy', () => {
    const message = said(`one.moduleImported(); console.log(one.moduleNotImported('@Scopes').message)`);
    expect(message).toContain('MaskinportenModule is not imported: add');
  });
});
