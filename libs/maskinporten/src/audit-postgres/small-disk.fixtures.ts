import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, rmdirSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FILLER = 'filler';

/** A disk of a few megabytes, where one may mount one. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  static mount(megabytes: number): SmallDisk | undefined {
    if (process.getuid?.() !== 0) return undefined;
    const folder = mkdtempSync(join(tmpdir(), 'maskinporten-disk-'));
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
    if (status !== 0) {
      rmdirSync(folder);
      return undefined;
    }
    // The server insists on a folder of its own.
    execFileSync('chown', ['postgres:postgres', folder]);
    return new SmallDisk(folder);
  }

  /** Until not one byte more fits. */
  fill(): void {
    const file = openSync(join(this.folder, FILLER), 'w');
    try {
      for (let size = 1_048_576; size >= 1;) {
        try {
          if (writeSync(file, Buffer.alloc(size)) < size) size = Math.floor(size / 2);
        } catch {
          size = Math.floor(size / 2);
        }
      }
    } finally {
      closeSync(file);
    }
  }

  makeRoom(): void {
    rmSync(join(this.folder, FILLER));
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.folder]);
    rmdirSync(this.folder);
  }
}
