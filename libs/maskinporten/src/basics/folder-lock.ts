import { createHash, randomUUID } from 'node:crypto';
import { link, lstat, open, readdir, realpath, rm, statfs, type FileHandle } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { errorCode } from './error-code.js';
import { sharedFileSystem } from './shared-file-system.js';

/** Somebody has the folder; `file` is the lock. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
  readonly code = 'FOLDER_IN_USE';

  constructor(readonly file: string) {
    super(`the folder is in use: ${file} is held`);
  }
}

/** Nothing in this folder can be held by one alone. `message` says why, and names no value. */
export class FolderNotLockableError extends Error {
  override readonly name = 'FolderNotLockableError';
  readonly code = 'FOLDER_NOT_LOCKABLE';
}

/** `in-use.1`, `in-use.2` …: one for each that took the lock. */
const CLAIM = /^in-use\.(\d{1,15})$/;
/** The socket of a start that has no number yet. */
const START = /^in-use\.[\da-f]{8}-[\da-f-]{27}$/;
const YOUNG_MS = 60_000;
/** So many claims of the past stay, so that one who reads the folder meanwhile sees the last of them. */
const KEPT_CLAIMS = 16;
/** `sun_path` has 104 bytes on macOS and 108 on Linux, with a zero at the end. Node 20 cuts off what is longer. */
const MAX_SOCKET_PATH = 103;

/**
 * The lock of a folder, held by the kernel and not by a process id: it is a Unix socket that listens, so that it ends with
 * its process, however that ends, and it is valid between containers of one kernel.
 *
 * Each start listens on a socket of its own first and then claims the next free number with a hard link, which only one
 * can make. The highest number is the lock. It is never removed, also when it is released: who saw a dead holder and
 * comes late finds its number taken. Only a refused connection proves that the holder is dead.
 *
 * On Windows it is a named pipe, which one process can make.
 *
 * @example
 * const lock = await FolderLock.take('./data');
 * await lock.release();
 */
export class FolderLock {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * @param folder that exists
   * @throws FolderInUseError, FolderNotLockableError; errors of the file system
   */
  static async take(folder: string): Promise<FolderLock> {
    const place = await realpath(folder);
    if (process.platform === 'win32') return new FolderLock(await holdPipe(place));
    await refuseShared(place);
    const name = `in-use.${randomUUID()}`;
    const server = await listenIn(place, name);
    try {
      await claim(place, name);
      // The number is another name of the same socket.
      await rm(join(place, name));
      await removeDeadStarts(place);
      return new FolderLock(server);
    } catch (error) {
      await closed(server);
      // Node removes it only under the path that it was made with, which is another one where that is short.
      await rm(join(place, name), { force: true });
      throw error;
    }
  }

  /**
   * The lock of a folder that somebody has; undefined when nobody has it. Writes nothing.
   *
   * @throws errors of the file system
   */
  static async heldFile(folder: string): Promise<string | undefined> {
    const place = await realpath(folder);
    if (process.platform === 'win32') {
      return (await isListening(pipeOf(place))) ? pipeOf(place) : undefined;
    }
    for (;;) {
      const number = await highestClaim(place);
      if (number === 0) return undefined;
      const state = await stateOf(place, `in-use.${number}`);
      if (state !== 'gone') return state === 'held' ? join(place, `in-use.${number}`) : undefined;
    }
  }

  /** Gives the folder back. */
  async release(): Promise<void> {
    await closed(this.#server);
  }
}

/** Links the socket `name` to the next number. */
async function claim(place: string, name: string): Promise<void> {
  for (;;) {
    const highest = await highestClaim(place);
    if (highest > 0) {
      const state = await stateOf(place, `in-use.${highest}`);
      if (state === 'held') throw new FolderInUseError(join(place, `in-use.${highest}`));
      if (state === 'gone') continue;
    }
    const own = highest + 1;
    if (!(await isLinked(place, name, own))) continue;
    // Others may have come further meanwhile, if this one looked long ago.
    if ((await highestClaim(place)) === own) return removeOld(place, own);
    await rm(join(place, `in-use.${own}`), { force: true });
  }
}

/** False when somebody else has made it. */
async function isLinked(place: string, name: string, number: number): Promise<boolean> {
  try {
    await link(join(place, name), join(place, `in-use.${number}`));
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw new FolderNotLockableError(`it takes no hard links (${errorCode(error) ?? 'UNKNOWN'})`);
  }
}

async function claimsIn(place: string): Promise<number[]> {
  return (await readdir(place)).map((entry) => Number(CLAIM.exec(entry)?.[1] ?? 0));
}

const highestClaim = async (place: string): Promise<number> => Math.max(0, ...(await claimsIn(place)));

async function removeOld(place: string, own: number): Promise<void> {
  const old = (await claimsIn(place)).filter((number) => number > 0 && number <= own - KEPT_CLAIMS);
  for (const number of old) await rm(join(place, `in-use.${number}`), { force: true });
}

/** Sockets of starts that died before they had a number. One that is young may not listen yet. */
async function removeDeadStarts(place: string): Promise<void> {
  for (const name of (await readdir(place)).filter((entry) => START.test(entry))) {
    const stats = await lstat(join(place, name)).catch(() => undefined);
    if (stats === undefined || Date.now() - stats.mtimeMs < YOUNG_MS) continue;
    if ((await stateOf(place, name)) === 'dead') await rm(join(place, name), { force: true });
  }
}

async function refuseShared(place: string): Promise<void> {
  const { type } = await statfs(place);
  const name = process.platform === 'linux' ? sharedFileSystem(type) : undefined;
  if (name !== undefined) throw new FolderNotLockableError(`it is on ${name}, which other machines may have too`);
}

async function listenIn(place: string, name: string): Promise<Server> {
  const server = await throughShortPath(place, name, listenOn).catch((error: unknown) => {
    if (error instanceof FolderNotLockableError) throw error;
    throw new FolderNotLockableError(`it takes no Unix sockets (${errorCode(error) ?? 'UNKNOWN'})`);
  });
  // A path that was cut off is a socket elsewhere.
  const isThere = await lstat(join(place, name)).then(
    (stats) => stats.isSocket(),
    () => false,
  );
  if (isThere) return server;
  await closed(server);
  throw new FolderNotLockableError('a Unix socket that was made in it is not there');
}

async function listenOn(path: string): Promise<Server> {
  // Nothing is said here: that the connection is made is the answer.
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // A worker of a cluster has a socket of its own, not one that its primary holds.
    server.listen({ path, exclusive: true }, resolve);
  });
  server.on('error', () => undefined);
  // The lock keeps no process running.
  server.unref();
  return server;
}

/** `held` is said also when it cannot be known, since only a refused connection proves the opposite. */
async function stateOf(place: string, name: string): Promise<'held' | 'dead' | 'gone'> {
  try {
    return (await throughShortPath(place, name, isListening)) ? 'held' : 'dead';
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? 'gone' : 'held';
  }
}

/** @throws the error of the connection, unless it was refused */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      if (errorCode(error) === 'ECONNREFUSED') resolve(false);
      else if (process.platform === 'win32' && errorCode(error) === 'ENOENT') resolve(false);
      else reject(error);
    });
  });
}

/** Gives `use` a path to a socket that fits into its address. */
async function throughShortPath<T>(place: string, name: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(place, name);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return use(path);
  if (process.platform !== 'linux') {
    throw new FolderNotLockableError(`its path is longer than a Unix socket may have (${MAX_SOCKET_PATH} bytes)`);
  }
  const folder: FileHandle = await open(place, 'r');
  try {
    return await use(`/proc/self/fd/${folder.fd}/${name}`);
  } finally {
    await folder.close();
  }
}

const pipeOf = (place: string): string =>
  `\\\\.\\pipe\\in-use-${createHash('sha256').update(place.toLowerCase()).digest('hex')}`;

async function holdPipe(place: string): Promise<Server> {
  if (place.startsWith('\\\\')) throw new FolderNotLockableError('it is on a share, which other machines may have too');
  return listenOn(pipeOf(place)).catch((error: unknown) => {
    if (['EADDRINUSE', 'EACCES'].includes(errorCode(error) ?? '')) throw new FolderInUseError(pipeOf(place));
    throw error;
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
