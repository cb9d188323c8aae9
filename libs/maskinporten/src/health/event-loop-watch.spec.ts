import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { EventLoopWatch } from './event-loop-watch.js';
import { HandClock } from './health.fixtures.js';

const options = (clock: HandClock) => ({
  beatMs: 500,
  stallMs: 2_000,
  rememberMs: 10_000,
  monotonicMs: () => clock.monotonicMs(),
});

describe('the watch over the event loop', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it('F-131: sees a stall, and that it is over', () => {
    jest.useFakeTimers();
    const clock = new HandClock();
    const watch = new EventLoopWatch(options(clock));
    watch.start();
    for (let beat = 0; beat < 20; beat += 1) {
      clock.advance(500);
      jest.advanceTimersByTime(500);
      expect(watch.stalled).toBe(false);
    }
    // Nothing runs for three seconds: no timer fires, then everything at once.
    clock.advance(3_000);
    jest.advanceTimersByTime(500);
    expect(watch.stalled).toBe(true);
    for (let beat = 0; beat < 20; beat += 1) {
      clock.advance(500);
      jest.advanceTimersByTime(500);
    }
    expect(watch.stalled).toBe(false);
    watch.stop();
  });

  it('F-131: sees it also when the probe comes before the timer', () => {
    const clock = new HandClock();
    const watch = new EventLoopWatch(options(clock));
    watch.start();
    clock.advance(2_600);
    expect(watch.stalled).toBe(true);
    watch.stop();
  });

  it('F-131: sees a loop that is really blocked', () => {
    const watch = new EventLoopWatch({
      beatMs: 1,
      stallMs: 20,
      rememberMs: 60_000,
      monotonicMs: () => performance.now(),
    });
    watch.start();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
    expect(watch.stalled).toBe(true);
    watch.stop();
  });

  it('says nothing before it was started and after it was stopped', () => {
    const clock = new HandClock();
    const watch = new EventLoopWatch(options(clock));
    clock.advance(60_000);
    expect(watch.stalled).toBe(false);
    watch.start();
    watch.stop();
    clock.advance(60_000);
    expect(watch.stalled).toBe(false);
  });
});
