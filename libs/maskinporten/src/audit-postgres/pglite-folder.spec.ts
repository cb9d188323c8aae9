import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, describe, expect, it } from '@jest/globals';
import { FolderLock, FolderNotLockableError } from '../basics/index.js';
import { explainLock } from './audit-folder.js';
import { openPgliteAuditStore } from './pglite-audit-store.js';
import { memoryPglite, putEmptyPglite } from './prepared-pglite.fixtures.js';

const root = mkdtempSync(join(tmpdir(), 'audit-folder-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Counts what is opened. */
class Opened {
  folders: string[] = [];
  readonly PGlite = {
    create: (folder: string): Promise<PGlite> => {
      this.folders.push(`${folder} ${(statSync(folder).mode & 0o777).toString(8)}`);
      return PGlite.create(folder);
    },
  };
}

describe('the folder of an audit log', () => {
  it('F-153, F-157: is locked and closed to others before it is opened, until the store is closed', async () => {
    const folder = join(root, 'log');
    await putEmptyPglite(folder);
    chmodSync(folder, 0o777);
    const first = new Opened();
    const store = await openPgliteAuditStore({ folder, PGlite: first.PGlite });
    expect(first.folders).toEqual([`${folder} 700`]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);

    const second = new Opened();
    await expect(openPgliteAuditStore({ folder, PGlite: second.PGlite })).rejects.toMatchObject({
      code: 'MP_CONFIG',
      failures: [{ field: 'audit.folder', reason: expect.stringContaining(join(folder, 'in-use.1')) as unknown }],
    });
    // It was not touched by the one that came too late.
    expect(second.folders).toEqual([]);
    await store.close();
    expect(await FolderLock.heldFile(folder)).toBeUndefined();
    const again = await openPgliteAuditStore({ folder, PGlite });
    expect(await again.latestHead()).toBeUndefined();
    await again.close();
  });

  it('F-153: is free again when it could not be opened', async () => {
    const folder = join(root, 'damaged');
    const fails = { create: () => Promise.reject(new Error('cannot be opened')) };
    await expect(openPgliteAuditStore({ folder, PGlite: fails })).rejects.toThrow('cannot be opened');
    expect(await FolderLock.heldFile(folder)).toBeUndefined();
  });

  it('F-153: a PGlite that is open already is refused, unless it is in memory', async () => {
    const folder = join(root, 'open');
    await putEmptyPglite(folder);
    const pglite = await PGlite.create(folder);
    await expect(openPgliteAuditStore(pglite)).rejects.toMatchObject({
      code: 'MP_CONFIG',
      failures: [{ field: 'audit.folder', reason: expect.stringContaining('{ folder, PGlite }') as unknown }],
    });
    await pglite.close();
    await (await openPgliteAuditStore(await memoryPglite())).close();
  });

  it.each(['memory://', 'file:///tmp/log', 'idb://log'])(
    'F-153: %s is refused, since PGlite would put the log elsewhere than into the locked folder',
    async (folder) => {
      const opened = new Opened();
      await expect(openPgliteAuditStore({ folder, PGlite: opened.PGlite })).rejects.toMatchObject({
        code: 'MP_CONFIG',
        failures: [{ field: 'audit.folder', reason: expect.stringContaining('is an address') as unknown }],
      });
      expect(opened.folders).toEqual([]);
    },
  );

  it('F-153: what cannot be locked names DATABASE_URL and the reason', () => {
    expect(explainLock(new FolderNotLockableError('it is on NFS'))).toMatchObject({
      code: 'MP_CONFIG',
      failures: [{ field: 'audit.folder', reason: expect.stringMatching(/it is on NFS.*DATABASE_URL/) as unknown }],
    });
  });

  it('F-157: a folder that stays open to others is refused before it is opened', async () => {
    const opened = new Opened();
    // Nobody may change the mode of these.
    await expect(openPgliteAuditStore({ folder: '/proc/self', PGlite: opened.PGlite })).rejects.toThrow(/mode 0700/);
    expect(opened.folders).toEqual([]);
  });

  it('makes folders above it for the owner alone', async () => {
    const folder = join(root, 'new/deep/log');
    await expect(
      openPgliteAuditStore({ folder, PGlite: { create: () => Promise.reject(new Error('no')) } }),
    ).rejects.toThrow('no');
    for (const each of ['new', 'new/deep', 'new/deep/log']) expect(statSync(join(root, each)).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toEqual(['in-use.1']);
    writeFileSync(join(root, 'file'), '');
    await expect(openPgliteAuditStore({ folder: join(root, 'file/log'), PGlite })).rejects.toMatchObject({
      code: 'ENOTDIR',
    });
  });
});
