import { chmod, mkdir, stat, access, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { EnvironmentError } from '../config/index.js';

/** Kept in memory, and gone when the process ends. */
export const IN_MEMORY = 'memory://';

/**
 * Makes the folder of the embedded database and of what is beside it, or closes one that is there to other users.
 *
 * @returns the folder for the database, which is made and locked when it is opened
 * @throws EnvironmentError when it cannot be written, or stays open to others
 */
export async function makeDataDirectory(path: string): Promise<string> {
  let mode: number;
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    // What cannot be changed may be right already: the look at it decides.
    await chmod(path, 0o700).catch(() => undefined);
    ({ mode } = await stat(path));
  } catch {
    throw wrongDirectory('names a folder that cannot be written: mount a volume there, or set DATABASE_URL');
  }
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw wrongDirectory(
      'names a folder that is open to other users and cannot be closed to them (mode 0700): name a folder below it',
    );
  }
  return join(path, 'database');
}

export const wrongDirectory = (reason: string): EnvironmentError =>
  new EnvironmentError([{ variable: 'AUDIT_DATA_DIR', reason }]);

/** By this file PostgreSQL knows a cluster. */
const CLUSTER_MARK = 'PG_VERSION';

/** Ends by itself, with an error or when the cluster is whole. */
const PROGRAM = `
  const { workerData } = require('node:worker_threads');
  const { PGlite } = require(workerData.pglite);
  PGlite.create(workerData.folder).then((database) => database.close());
`;

/**
 * Makes the cluster of an embedded PostgreSQL in a folder that has none. That is seconds of pure computing, so a thread of
 * its own does it, and the service answers meanwhile. It is made beside the folder and counts when it is whole: what a
 * process that was killed has left is made again.
 *
 * @param onMaking called before it is made; not when it is there
 * @throws the signal's reason when it aborts, with nothing left behind; else what PGlite or the file system says
 */
export async function ensureCluster(folder: string, signal: AbortSignal, onMaking: () => void): Promise<void> {
  if (await isThere(join(folder, CLUSTER_MARK))) return;
  onMaking();
  const unfinished = `${folder}.unfinished`;
  try {
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { mode: 0o700 });
    await runInThread(unfinished, signal);
    await moveInto(folder, unfinished);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

function runInThread(folder: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const pglite = createRequire(import.meta.url).resolve('@electric-sql/pglite');
    const worker = new Worker(PROGRAM, { eval: true, workerData: { pglite, folder } });
    const stop = (): void => void worker.terminate();
    signal.addEventListener('abort', stop, { once: true });
    worker.once('error', reject);
    worker.once('exit', (code) => {
      signal.removeEventListener('abort', stop);
      if (code === 0) resolve();
      else reject(new Error(`the thread that makes the database ended with ${code}`));
    });
  });
}

/** The mark last. What is in the folder besides stays, the lock for example. */
async function moveInto(folder: string, made: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const names = await readdir(made);
  for (const name of [...names.filter((other) => other !== CLUSTER_MARK), CLUSTER_MARK]) {
    await rm(join(folder, name), { recursive: true, force: true });
    await rename(join(made, name), join(folder, name));
  }
}

const isThere = async (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
