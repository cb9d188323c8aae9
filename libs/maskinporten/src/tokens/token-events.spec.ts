import { describe, expect, it } from '@jest/globals';
import { startService } from './token-service.fixtures.js';

describe('token events', () => {
  it('F-138: a token is given although every listener throws', async () => {
    const bench = await startService({
      onEvent: () => {
        throw new Error('broken');
      },
    });
    const stop = bench.service.onEvent(() => {
      throw new Error('broken too');
    });
    const before = bench.service.status.counts.listenerFailures;
    await expect(bench.service.getToken('a')).resolves.toHaveProperty('value');
    expect(bench.service.status.counts.listenerFailures).toBe(before + 2);
    stop();
    await bench.close();
  });
});
