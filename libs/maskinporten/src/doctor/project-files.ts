import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Larger files are data; a key or a token that somebody pasted is in a small one. */
const MAX_FILE_BYTES = 1024 * 1024;
const MAX_FILES = 20_000;
const ENVIRONMENT_FILE = /^\.env(?:\..+)?$/;

export interface ProjectFile {
  /** From the project's folder. */
  readonly path: string;
  readonly tracked: boolean;
}

/** Files under version control (undefined without git), and environment files whether tracked or not. */
export interface ProjectFiles {
  readonly underGit: boolean;
  readonly files: readonly ProjectFile[];
}

export async function listProject(folder: string): Promise<ProjectFiles> {
  const tracked = await trackedFiles(folder);
  const known = new Set(tracked);
  const present = await readdir(folder).catch(() => []);
  const untracked = present.filter((name) => ENVIRONMENT_FILE.test(name) && !known.has(name));
  return {
    underGit: tracked !== undefined,
    files: [
      ...(tracked ?? []).slice(0, MAX_FILES).map((path) => ({ path, tracked: true })),
      ...untracked.map((path) => ({ path, tracked: false })),
    ],
  };
}

/** Undefined when it cannot be read, is not a regular file or is too large. Links are not followed out of the project. */
export async function readProjectFile(folder: string, path: string): Promise<Buffer | undefined> {
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    const file = await open(join(folder, path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stat = await file.stat();
      return stat.isFile() && stat.size <= MAX_FILE_BYTES ? await file.readFile() : undefined;
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

/** Undefined when the folder is not in a git repository, or git is not there. */
async function trackedFiles(folder: string): Promise<readonly string[] | undefined> {
  try {
    // A repository may name programs that git starts; listing files needs none of them.
    const safe = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null'];
    const { stdout } = await run('git', [...safe, '-C', folder, 'ls-files', '-z', '--cached'], {
      maxBuffer: 64 * 1024 * 1024,
      timeout: 20_000,
    });
    return stdout.split('\0').filter((path) => path !== '');
  } catch {
    return undefined;
  }
}
