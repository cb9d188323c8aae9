import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A folder, readable by its owner alone, for keys and certificates that the specs of this run share. Workers inherit its
 * name; each run has its own.
 */
export default function setup() {
  const folder = mkdtempSync(join(tmpdir(), 'maskinporten-pool-'));
  process.env.TEST_POOL = folder;
  // The teardown is not called when a run is cut short.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
}
