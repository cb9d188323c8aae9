import { describe, expect, it } from '@jest/globals';
import { TokenEvents } from './token-events-emitter.js';
import { startService } from './token-service.fixtures.js';
import type { TokenEvent } from './index.js';

const event: TokenEvent = { type: 'warning', field: 'f', reason: 'r' };

describe('TokenEvents', () => {
  it('F-138: a listener that throws or rejects is counted, and the others hear the event', async () => {
    const events = new TokenEvents();
    const heard: TokenEvent[] = [];
    events.on(() => {
      throw new Error('logger is broken');
    });
    // A promise where nothing is expected: JavaScript allows it, so it must not end the process.
    for (const result of [Promise.reject(new Error('metrics are broken')), Promise.resolve()]) {
      const answer = (): unknown => result;
      events.on(answer);
    }
    events.on((told) => heard.push(told));
    events.emit(event);
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual([event]);
    expect(events.listenerFailures).toBe(2);
  });

  it('stops when it is told to, and a listener added by a listener waits for the next event', () => {
    const events = new TokenEvents();
    let heard = 0;
    const stop = events.on(() => {
      heard += 1;
      events.on(() => (heard += 100));
    });
    events.emit(event);
    expect(heard).toBe(1);
    stop();
    events.emit(event);
    expect(heard).toBe(101);
  });

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
