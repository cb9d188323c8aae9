import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { copyPrepared, preparedFolder } from '../../../../test/support/prepared-folder.js';
import { openPgliteAuditStore } from './pglite-audit-store.js';

/**
 * Puts a PGlite with an empty audit log at `folder`, which must not exist yet. To make one takes seconds of CPU, to copy
 * one does not: it is made and migrated once per run.
 */
export async function putEmptyPglite(folder: string): Promise<void> {
  copyPrepared(await preparedPglite(), folder);
}

/** The one to copy. Nobody writes into it. */
export const preparedPglite = (): Promise<string> => preparedFolder('pglite-audit-log', makeEmptyPglite);

async function makeEmptyPglite(folder: string): Promise<void> {
  const pglite = await PGlite.create(folder);
  const store = await openPgliteAuditStore({
    query: (text, values) => pglite.query(text, values),
    exec: (text) => pglite.exec(text),
    close: () => Promise.resolve(),
  });
  await store.close();
  // Two thirds of the files are templates that nobody makes a database from, and copying them takes longer than all else.
  await pglite.exec('RESET ROLE; UPDATE pg_database SET datistemplate = false, datallowconn = true');
  for (const template of ['template0', 'template1']) await pglite.exec(`DROP DATABASE ${template}`);
  await pglite.close();
}

/** A PGlite in memory, with an empty audit log: a copy of the prepared one, too. */
export async function memoryPglite(): Promise<PGlite> {
  const prepared = await preparedFolder('pglite-audit-log-dump', async (folder) => {
    const pglite = await PGlite.create(await copyOfPrepared());
    mkdirSync(folder);
    writeFileSync(join(folder, 'dump.tar'), Buffer.from(await (await pglite.dumpDataDir('none')).arrayBuffer()));
    await pglite.close();
  });
  return PGlite.create({ loadDataDir: new Blob([readFileSync(join(prepared, 'dump.tar'))]) });
}

async function copyOfPrepared(): Promise<string> {
  const folder = join(mkdtempSync(join(tmpdir(), 'pglite-copy-')), 'data');
  process.once('exit', () => rmSync(dirname(folder), { recursive: true, force: true }));
  await putEmptyPglite(folder);
  return folder;
}
