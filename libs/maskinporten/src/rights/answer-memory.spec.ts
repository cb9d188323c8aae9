import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { AnswerMemory } from './answer-memory.js';

interface Answer {
  readonly yes: boolean;
  readonly number: number;
}

class TestClock {
  wall = 1_000_000;
  monotonic = 5_000;
  wallMs = (): number => this.wall;
  monotonicMs = (): number => this.monotonic;
  pass(ms: number): void {
    this.wall += ms;
    this.monotonic += ms;
  }
}

function closedGate(): { gate: Promise<void>; open: () => void } {
  let open!: () => void;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { gate, open };
}

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const failing = async (): Promise<Answer> => Promise.reject(new Error('down'));

describe('AnswerMemory', () => {
  let clock: TestClock;
  let memory: AnswerMemory<Answer>;
  let asked = 0;
  beforeEach(() => {
    clock = new TestClock();
    asked = 0;
    memory = new AnswerMemory({
      clock,
      maxEntries: 3,
      lifetime: ({ yes }) => ({ forMs: yes ? 30_000 : 2_000, negative: !yes }),
    });
  });
  const answering = (yes: boolean, gate?: Promise<void>) => async (): Promise<Answer> => {
    asked += 1;
    const number = asked;
    await gate;
    return { yes, number };
  };

  it('uses a yes for 30 s and a no for 2 s', async () => {
    await memory.get('a', answering(true), false);
    clock.pass(29_999);
    await expect(memory.get('a', answering(true), false)).resolves.toMatchObject({ number: 1 });
    clock.pass(1);
    await expect(memory.get('a', answering(false), false)).resolves.toMatchObject({ number: 2 });
    clock.pass(1_999);
    await expect(memory.get('a', answering(true), false)).resolves.toMatchObject({ number: 2 });
    clock.pass(1);
    await expect(memory.get('a', answering(true), false)).resolves.toMatchObject({ number: 3 });
  });

  it('F-103, F-104: either clock ends an answer', async () => {
    await memory.get('a', answering(true), false);
    clock.wall += 30_000;
    await expect(memory.get('a', answering(true), false)).resolves.toMatchObject({ number: 2 });
    clock.wall -= 3_600_000;
    clock.monotonic += 30_000;
    await expect(memory.get('a', answering(true), false)).resolves.toMatchObject({ number: 3 });
  });

  it('counts the life from the question, so that a slow answer is not a young one', async () => {
    const { gate, open } = closedGate();
    const first = memory.get('a', answering(true, gate), false);
    await Promise.resolve();
    clock.pass(20_000);
    open();
    await first;
    clock.pass(10_000);
    await expect(memory.get('a', answering(true), false)).resolves.toMatchObject({ number: 2 });
  });

  it('asks once however many want to know', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, async () => memory.get('a', answering(true), false)));
    expect(new Set(answers.map(({ number }) => number))).toEqual(new Set([1]));
  });

  it('fresh: passes over a remembered yes, but not over a no of the last two seconds', async () => {
    await memory.get('a', answering(true), false);
    await expect(memory.get('a', answering(false), true)).resolves.toMatchObject({ number: 2, yes: false });
    await expect(memory.get('a', answering(true), true)).resolves.toMatchObject({ number: 2 });
  });

  it('fresh: never takes an answer whose question was sent before, and shares the next one', async () => {
    const { gate, open } = closedGate();
    const early = memory.get('a', answering(true, gate), false);
    await Promise.resolve();
    await Promise.resolve();
    const late = Array.from({ length: 20 }, async () => memory.get('a', answering(true), true));
    open();
    await expect(early).resolves.toMatchObject({ number: 1 });
    const numbers = (await Promise.all(late)).map(({ number }) => number);
    expect(new Set(numbers)).toEqual(new Set([2]));
  });

  it('does not remember failures, and a failed question does not spoil the next', async () => {
    const first = memory.get('a', failing, false);
    const second = memory.get('a', answering(true), true);
    await expect(first).rejects.toThrow('down');
    await expect(second).resolves.toMatchObject({ yes: true });
    await expect(memory.get('b', failing, false)).rejects.toThrow('down');
    await expect(memory.get('b', answering(true), false)).resolves.toMatchObject({ yes: true });
  });

  it('what is forgotten while it is being asked is not remembered', async () => {
    const { gate, open } = closedGate();
    const asking = memory.get('a', answering(true, gate), false);
    await Promise.resolve();
    memory.forget('a');
    const next = memory.get('a', answering(false), false);
    open();
    await asking;
    await expect(next).resolves.toMatchObject({ number: 2, yes: false });
    await expect(memory.get('a', answering(true), false)).resolves.toMatchObject({ number: 2 });
  });

  it('forgets what is being asked in whatever order the questions end, and however often it is called', async () => {
    const [first, second] = [closedGate(), closedGate()];
    const early = memory.get('a', answering(true, first.gate), false);
    const waiting = memory.get('a', answering(true), true);
    memory.forget('a');
    // The question that others may join; the one that waits for the first was asked behind its back.
    const joined = memory.get('a', answering(true, second.gate), false);
    first.open();
    await early;
    await turn();
    memory.forget('a');
    const before = asked;
    second.open();
    await Promise.all([joined, waiting]);
    const { number } = await memory.get('a', answering(true), false);
    expect(number).toBeGreaterThan(before);
  });

  it('an answer that comes late does not replace one that was asked later', async () => {
    const slow = closedGate();
    const early = memory.get('a', answering(true, slow.gate), false);
    await Promise.resolve();
    await Promise.resolve();
    memory.forget('a');
    await expect(memory.get('a', answering(false), false)).resolves.toMatchObject({ number: 2, yes: false });
    slow.open();
    await early;
    await expect(memory.get('a', answering(true), false)).resolves.toMatchObject({ number: 2, yes: false });
  });

  it('T-70: keeps no more than it may', async () => {
    for (const key of ['a', 'b', 'c', 'd']) await memory.get(key, answering(true), false);
    await memory.get('d', answering(true), false);
    expect(asked).toBe(4);
    await memory.get('a', answering(true), false);
    expect(asked).toBe(5);
  });

  it('T-44: a shared question does not run in the context of whoever came first', async () => {
    const context = new AsyncLocalStorage<string>();
    const seen = await context.run('first caller', async () =>
      memory.get(
        'a',
        async () => Promise.resolve({ yes: true, number: context.getStore() === undefined ? 0 : 1 }),
        false,
      ),
    );
    expect(seen.number).toBe(0);
  });

  it('never mixes keys, and never gives a yes older than 30 s (model)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.record({ type: fc.constant('get' as const), key: fc.constantFrom('a', 'b'), fresh: fc.boolean() }),
            fc.record({ type: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 20_000 }) }),
            fc.record({ type: fc.constant('forget' as const), key: fc.constantFrom('a', 'b') }),
          ),
          { maxLength: 40 },
        ),
        async (steps) => {
          const time = new TestClock();
          const model = new AnswerMemory<{ key: string; atMs: number }>({
            clock: time,
            maxEntries: 10,
            lifetime: () => ({ forMs: 30_000, negative: false }),
          });
          const forgotten = new Map<string, number>();
          for (const step of steps) {
            if (step.type === 'pass') time.pass(step.ms);
            else if (step.type === 'forget') {
              model.forget(step.key);
              forgotten.set(step.key, time.wall);
            } else {
              const ask = async (): Promise<{ key: string; atMs: number }> =>
                Promise.resolve({ key: step.key, atMs: time.wall });
              const answer = await model.get(step.key, ask, step.fresh);
              const age = time.wall - answer.atMs;
              if (answer.key !== step.key || age >= 30_000 || (step.fresh && age > 0)) return false;
              if (answer.atMs < (forgotten.get(step.key) ?? 0)) return false;
            }
          }
          return true;
        },
      ),
      { numRuns: runs(500) },
    );
  });
});
