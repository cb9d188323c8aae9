import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BackgroundCheck } from './background-check.js';

/** Lets everything that needs no timer happen. */
const settle = async (): Promise<void> => jest.advanceTimersByTimeAsync(0);

describe('a background check', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('begins at once and comes back after a random time between the two limits', async () => {
    const chances = [0, 1, 0.5];
    let checks = 0;
    const check = new BackgroundCheck({
      everyMs: [10_000, 20_000],
      deadlineMs: 2_000,
      random: () => chances.shift() ?? 0,
      check: async () => {
        checks += 1;
        await Promise.resolve();
      },
    });
    check.start();
    await settle();
    expect(checks).toBe(1);
    for (const [waitMs, expected] of [
      [9_999, 1],
      [1, 2],
      [19_999, 2],
      [1, 3],
      [15_000, 4],
    ] as const) {
      await jest.advanceTimersByTimeAsync(waitMs);
      expect(checks).toBe(expected);
    }
    check.stop();
  });

  it('is told to stop at its deadline, and only then plans the next', async () => {
    const started: number[] = [];
    const check = new BackgroundCheck({
      everyMs: [10_000, 10_000],
      deadlineMs: 2_000,
      random: () => 0,
      check: (signal) =>
        new Promise((resolve) => {
          started.push(Date.now());
          signal.addEventListener('abort', () => resolve());
        }),
    });
    const beginMs = Date.now();
    check.start();
    await jest.advanceTimersByTimeAsync(24_000);
    expect(started.map((ms) => ms - beginMs)).toEqual([0, 12_000, 24_000]);
    check.stop();
    await settle();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends a check that is under way when it is stopped, and makes no other', async () => {
    let aborted = false;
    let checks = 0;
    const check = new BackgroundCheck({
      everyMs: [10, 20],
      deadlineMs: 2_000,
      random: () => 0,
      check: (signal) =>
        new Promise((resolve) => {
          checks += 1;
          signal.addEventListener('abort', () => {
            aborted = true;
            resolve();
          });
        }),
    });
    check.start();
    check.stop();
    await jest.advanceTimersByTimeAsync(60_000);
    expect({ aborted, checks, timers: jest.getTimerCount() }).toEqual({ aborted: true, checks: 1, timers: 0 });
  });
});
