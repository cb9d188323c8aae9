import { describe, expect, it } from '@jest/globals';
import { RequestLog } from './index.js';

const entry = { at: '2026-11-24T12:00:00.000Z', server: 'maskinporten', method: 'POST', path: '/token' } as const;

describe('the request log', () => {
  it('keeps the newest, in order, and never more than 11,000', () => {
    const log = new RequestLog();
    let most = 0;
    for (let index = 0; index < 25_000; index += 1) {
      log.begin(entry);
      most = Math.max(most, log.entries.length);
    }
    expect(most).toBeLessThanOrEqual(11_000);
    expect(log.entries.length).toBeGreaterThanOrEqual(10_000);
    expect(log.entries.at(-1)?.id).toBe(25_000);
    const ids = log.entries.map(({ id }) => id);
    expect(ids).toEqual(Array.from(ids, (_id, index) => 25_000 - ids.length + 1 + index));
  });

  it('is the same list after it was cleared, and goes on counting', () => {
    const log = new RequestLog();
    const { entries } = log;
    log.begin(entry);
    log.clear();
    expect(entries).toHaveLength(0);
    log.begin(entry);
    expect(entries).toMatchObject([{ id: 2, kind: 'request', checks: [] }]);
  });
});
