import { rmSync } from 'node:fs';

export default function teardown() {
  rmSync(process.env.TEST_POOL, { recursive: true, force: true });
}
