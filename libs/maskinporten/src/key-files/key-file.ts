import { open, type FileHandle } from 'node:fs/promises';
import { errorCode } from '../basics/index.js';
import { KeyFailure } from './key-failure.js';
import { MAX_KEY_BYTES } from './key-format.js';

export interface KeyFileContent {
  /** The caller wipes it. */
  readonly bytes: Buffer;
  /** Everybody on the machine may read it. Always false on Windows, which has no such bits. */
  readonly readableByOthers: boolean;
}

/** Not the group: Kubernetes gives a mounted secret mode 0440 and a group of its own when a pod sets `fsGroup`. */
const OTHERS_READ = 0o004;

/**
 * Reads a key file through one handle, so that what was checked is what is read.
 *
 * @throws KeyFailure with the path and the reason.
 */
export async function readKeyFile(path: string, member: string): Promise<KeyFileContent> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    throw new KeyFailure(member, `${quote(path)} ${reasonOf(error)}`, 'file');
  }
  try {
    const { size, mode } = await statOf(handle, path, member);
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await handle.read(bytes, 0, size, 0);
    return {
      bytes: bytes.subarray(0, bytesRead),
      readableByOthers: process.platform !== 'win32' && (mode & OTHERS_READ) !== 0,
    };
  } catch (error) {
    if (error instanceof KeyFailure) throw error;
    throw new KeyFailure(member, `${quote(path)} ${reasonOf(error)}`, 'file');
  } finally {
    await handle.close();
  }
}

async function statOf(handle: FileHandle, path: string, member: string): Promise<{ size: number; mode: number }> {
  const stat = await handle.stat();
  if (!stat.isFile()) throw new KeyFailure(member, `${quote(path)} is not a regular file`, 'file');
  if (stat.size === 0) throw new KeyFailure(member, `${quote(path)} is empty`, 'file');
  if (stat.size > MAX_KEY_BYTES) throw new KeyFailure(member, `${quote(path)} is larger than 1 MiB`, 'file');
  return stat;
}

/** Paths come from configuration and are shown; a PEM that was put into the path by mistake is not. */
function quote(path: string): string {
  return path.length <= 256 && /^[\x20-\x7e\u00a0-\u024f]+$/.test(path) && !path.includes('-----')
    ? `"${path}"`
    : '(a path that is not shown)';
}

function reasonOf(error: unknown): string {
  switch (errorCode(error) ?? '') {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'may not be read by this process';
    case 'ENAMETOOLONG':
    case 'ERR_INVALID_ARG_VALUE':
      return 'is not a path: was the key itself given instead of its file?';
    default:
      return 'could not be read';
  }
}
