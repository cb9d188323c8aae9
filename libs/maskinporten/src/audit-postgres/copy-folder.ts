import { copyFile, constants, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Copies the folders and files of `source` into `target`; sockets and devices are left out, and links are followed, so
 * that nothing in the copy leads back.
 *
 * @returns name, size and time of everything that was copied: the same again means that nobody has written meanwhile
 */
export async function copyFolder(source: string, target: string): Promise<string> {
  const state = await stateOf(source);
  for (const { path, isFolder } of state) {
    if (isFolder) await mkdir(join(target, path), { recursive: true, mode: 0o700 });
    else await copyFile(join(source, path), join(target, path), constants.COPYFILE_FICLONE);
  }
  return textOf(state);
}

/** What {@link copyFolder} gives, without copying. */
export const folderState = async (folder: string): Promise<string> => textOf(await stateOf(folder));

interface Entry {
  readonly path: string;
  readonly isFolder: boolean;
  readonly size: bigint;
  readonly changed: bigint;
}

async function stateOf(folder: string, below = ''): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const name of (await readdir(join(folder, below))).toSorted()) {
    const path = join(below, name);
    const stats = await stat(join(folder, path), { bigint: true });
    if (!stats.isDirectory() && !stats.isFile()) continue;
    const isFolder = stats.isDirectory();
    entries.push({ path, isFolder, size: isFolder ? 0n : stats.size, changed: isFolder ? 0n : stats.mtimeNs });
    if (isFolder) entries.push(...(await stateOf(folder, path)));
  }
  return entries;
}

const textOf = (entries: readonly Entry[]): string =>
  entries.map(({ path, size, changed }) => `${path}\0${size}\0${changed}`).join('\n');
