import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FirstToken } from './first-token.js';
import { error, HandClock, ScriptedService } from './health.fixtures.js';

describe('waiting for a first token', () => {
  const service = new ScriptedService();
  let clock: HandClock;
  let first: FirstToken;
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await jest.advanceTimersByTimeAsync(ms);
  };

  beforeEach(() => {
    jest.useFakeTimers();
    service.tokenError = error('MP_NETWORK');
    clock = new HandClock();
    first = new FirstToken({
      service,
      request: 'acme:read',
      limitMs: 60_000,
      monotonicMs: () => clock.monotonicMs(),
    });
  });
  afterEach(() => {
    first.stop();
    jest.useRealTimers();
  });

  it('ends with the first success', async () => {
    expect(first.awaited).toBe(true);
    first.start();
    await pass(5_000);
    expect(first.awaited).toBe(true);
    service.tokenError = undefined;
    await pass(1_000);
    expect(first.awaited).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends after 60 seconds without one, and asks no more', async () => {
    first.start();
    for (let second = 0; second < 59; second += 1) await pass(1_000);
    expect(first.awaited).toBe(true);
    await pass(1_000);
    expect(first.awaited).toBe(false);
    await pass(1_000);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends when the application closes', () => {
    first.start();
    first.stop();
    expect(first.awaited).toBe(false);
  });
});
