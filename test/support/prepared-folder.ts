import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Of this run of the tests, made by Jest's `globalSetup`. Without it, everything is made where it is asked for. */
const poolOfRun = process.env['TEST_POOL'];

let ownPool: string | undefined;

function poolFolder(): string {
  if (poolOfRun !== undefined) return poolOfRun;
  if (ownPool === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'maskinporten-prepared-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    ownPool = folder;
  }
  return ownPool;
}

/**
 * A folder that takes long to make, once per run of the tests: whichever process asks first makes it. Two that ask at the
 * same time both make it, and one of them is kept. Nobody writes into it; take a copy with {@link copyPrepared}.
 *
 * @param make puts it at the path that it is given, where nothing is yet
 */
export async function preparedFolder(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const path = join(poolFolder(), name);
  if (existsSync(path)) return path;
  const draft = `${path}-${randomUUID()}`;
  await make(draft);
  try {
    renameSync(draft, path);
  } catch (error) {
    if (!existsSync(path)) throw error;
    rmSync(draft, { recursive: true, force: true });
  }
  return path;
}

/** A copy at a path that does not exist yet, with the owners and modes of what is in it. */
export function copyPrepared(folder: string, to: string): void {
  execFileSync('cp', ['-a', folder, to]);
}
