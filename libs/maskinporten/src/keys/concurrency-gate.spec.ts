import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { ConcurrencyGate } from './index.js';

interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
}

function deferred(): Deferred {
  let settle: (() => void) | undefined;
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: () => settle?.() };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('ConcurrencyGate', () => {
  it('runs two at a time, in the order they came', async () => {
    const gate = new ConcurrencyGate(2);
    const started: number[] = [];
    const ends = [0, 1, 2, 3].map(deferred);
    const tasks = ends.map(({ promise }, index) =>
      gate.run(async () => {
        started.push(index);
        await promise;
      }),
    );
    await turn();
    expect([started, gate.running, gate.waiting]).toEqual([[0, 1], 2, 2]);
    ends[1]?.resolve();
    await turn();
    expect(started).toEqual([0, 1, 2]);
    for (const end of ends) end.resolve();
    await Promise.all(tasks);
    expect([started, gate.running, gate.waiting]).toEqual([[0, 1, 2, 3], 0, 0]);
  });

  it('gives the slot back when a task fails', async () => {
    const gate = new ConcurrencyGate(1);
    await expect(gate.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(gate.run(() => Promise.resolve('yes'))).resolves.toBe('yes');
  });

  it('a waiter that goes is skipped and its task never runs', async () => {
    const gate = new ConcurrencyGate(1);
    const end = deferred();
    const controller = new AbortController();
    const first = gate.run(() => end.promise);
    let ran = false;
    const second = gate.run(
      () => {
        ran = true;
        return Promise.resolve();
      },
      { signal: controller.signal },
    );
    const third = gate.run(() => Promise.resolve('third'));
    controller.abort();
    await expect(second).rejects.toMatchObject({ code: 'MP_ABORTED' });
    end.resolve();
    await first;
    await expect(third).resolves.toBe('third');
    expect([ran, gate.running]).toEqual([false, 0]);
    await expect(gate.run(() => Promise.resolve(), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'MP_ABORTED',
    });
  });

  it('an abort after the slot came does not take the slot away', async () => {
    const gate = new ConcurrencyGate(1);
    const end = deferred();
    const controller = new AbortController();
    const first = gate.run(() => end.promise);
    const second = gate.run(() => Promise.resolve('done'), { signal: controller.signal });
    end.resolve();
    await first;
    controller.abort();
    await expect(second).resolves.toBe('done');
    expect(gate.running).toBe(0);
  });

  it('T-42: a waiter runs in its own context, not in that of whoever freed the slot', async () => {
    const gate = new ConcurrencyGate(1);
    const storage = new AsyncLocalStorage<string>();
    const end = deferred();
    const seen: unknown[] = [];
    const first = storage.run('first', () => gate.run(() => end.promise));
    const second = storage.run('second', () =>
      gate.run(() => {
        seen.push(storage.getStore());
        return Promise.resolve();
      }),
    );
    end.resolve();
    await Promise.all([first, second]);
    expect(seen).toEqual(['second']);
  });

  it('property: never more than its slots, every task settles once, whatever fails or aborts', async () => {
    const task = fc.record({ fails: fc.boolean(), aborts: fc.boolean(), turns: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(task, { maxLength: 12 }), async (slots, tasks) => {
        const gate = new ConcurrencyGate(slots);
        let running = 0;
        let most = 0;
        const outcomes = tasks.map(async ({ fails, aborts, turns }) => {
          const controller = new AbortController();
          const outcome = gate.run(
            async () => {
              running += 1;
              most = Math.max(most, running);
              for (let index = 0; index < turns; index += 1) await turn();
              running -= 1;
              if (fails) throw new Error('task');
            },
            { signal: controller.signal },
          );
          if (aborts) controller.abort();
          return outcome;
        });
        const settled = await Promise.allSettled(outcomes);
        expect(settled).toHaveLength(tasks.length);
        expect(most).toBeLessThanOrEqual(slots);
        expect([gate.running, gate.waiting]).toEqual([0, 0]);
      }),
      { numRuns: runs(100) },
    );
  });
});
