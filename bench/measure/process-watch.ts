import { lookup } from 'node:dns/promises';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the rest of a process notices of the work that is done in it. */
export interface Disturbance {
  /** Longest time, in milliseconds, that a timer was late. */
  readonly worstLoopGapMs: number;
  /** Longest `dns.lookup`, in milliseconds: it waits for the same threads that sign. */
  readonly worstLookupMs: number;
  readonly totalMs: number;
}

const TICK_MS = 5;

/** Runs `work` while a timer ticks every five milliseconds and names are looked up one after the other. */
export async function watchProcess(work: () => Promise<unknown>): Promise<Disturbance> {
  let worstLoopGapMs = 0;
  let worstLookupMs = 0;
  const watch = { done: false };
  let last = performance.now();
  const late = (): void => {
    const now = performance.now();
    worstLoopGapMs = Math.max(worstLoopGapMs, now - last - TICK_MS);
    last = now;
  };
  const ticker = setInterval(late, TICK_MS);
  const lookups = (async () => {
    do {
      const started = performance.now();
      await lookup('localhost');
      worstLookupMs = Math.max(worstLookupMs, performance.now() - started);
      await sleep(TICK_MS);
    } while (!watch.done);
  })();
  const started = performance.now();
  try {
    await work();
    const totalMs = performance.now() - started;
    late();
    watch.done = true;
    await lookups;
    return { worstLoopGapMs, worstLookupMs, totalMs };
  } finally {
    watch.done = true;
    clearInterval(ticker);
  }
}

/** Milliseconds of processor time, all threads of this process together, that `work` took. */
export async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
