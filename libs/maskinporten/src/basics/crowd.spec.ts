import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { Line, Slices, type Place } from './index.js';

describe('Line', () => {
  it('property: is a list that can be left from anywhere', () => {
    const step = fc.oneof(
      fc.constant({ what: 'append' as const }),
      fc.constant({ what: 'prepend' as const }),
      fc.record({ what: fc.constant('leave' as const), which: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const line = new Line<number>();
        const other = new Line<number>();
        const model: number[] = [];
        const places: Place<number>[] = [];
        const left: boolean[] = [];
        for (const [number, each] of steps.entries()) {
          if (each.what === 'leave') {
            const place = places[each.which];
            if (place === undefined) continue;
            const index = model.indexOf(place.item);
            left.push(!other.leave(place) && line.leave(place) === index >= 0);
            if (index >= 0) model.splice(index, 1);
          } else if (each.what === 'append') {
            places.push(line.append(number));
            model.push(number);
          } else {
            places.push(line.prepend(number));
            model.unshift(number);
          }
          expect(left).not.toContain(false);
          expect([[...line], line.first, line.length]).toEqual([model, model[0], model.length]);
        }
      }),
      { numRuns: runs(200) },
    );
  });
});

describe('Slices', () => {
  it('F-139: lets at most 256 begin in one turn of the event loop, those in a hurry first', async () => {
    const slices = new Slices();
    const begun: string[] = [];
    const crowd = async (name: string, urgent: boolean): Promise<void> => {
      await slices.enter(urgent);
      begun.push(name);
    };
    const all = Array.from({ length: 1_000 }, () => crowd('batch', false));
    all.push(...Array.from({ length: 10 }, () => crowd('interactive', true)));
    await Promise.resolve();
    const perTurn = [begun.length];
    while (begun.length < all.length) {
      const before = begun.length;
      await new Promise((resolve) => setImmediate(resolve));
      perTurn.push(begun.length - before);
    }
    await Promise.all(all);
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(256);
    expect(begun.slice(256, 266)).toEqual(Array.from({ length: 10 }, () => 'interactive'));
    // A new turn, and nobody in line: at once again.
    await new Promise((resolve) => setImmediate(resolve));
    expect(slices.enter(false)).toBeUndefined();
  });
});
