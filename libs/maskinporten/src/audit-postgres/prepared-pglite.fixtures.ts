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
    close: () => pglite.close(),
  });
  await store.close();
}
