import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ServerClock } from './index.js';
import { systemClock, type Clock } from '../basics/index.js';

class FakeClock implements Clock {
  wall = Date.parse('2026-11-24T12:00:00.250Z');
  monotonic = 1_000;
  wallMs(): number {
    return this.wall;
  }
  monotonicMs(): number {
    return this.monotonic;
  }
  pass(ms: number): void {
    this.wall += ms;
    this.monotonic += ms;
  }
}

const header = (ms: number): string => new Date(ms).toUTCString();

/** One answer from a server whose clock is `offset` ahead, after a round trip split in half. */
function exchange(server: ServerClock, clock: FakeClock, offset: number, roundTrip = 40): boolean {
  const sent = clock.wall;
  clock.pass(roundTrip / 2);
  const date = header(clock.wall + offset);
  clock.pass(roundTrip / 2);
  return server.observe(date, sent, clock.wall);
}

function measured(offset: number): { clock: FakeClock; server: ServerClock } {
  const clock = new FakeClock();
  const server = new ServerClock(clock);
  exchange(server, clock, offset);
  return { clock, server };
}

describe('ServerClock', () => {
  it('is the local clock until something has been measured', () => {
    const clock = new FakeClock();
    const server = new ServerClock(clock);
    expect([server.now(), server.offsetMs, server.measuredOffsetMs, server.state]).toEqual([clock.wall, 0, 0, 'ok']);
  });

  it.each([0, 900, -900])(
    'F-100: an offset of %i ms is within what a Date header can tell, and is ignored',
    (offset) => {
      const { server, clock } = measured(offset);
      expect([server.offsetMs, server.state, server.now()]).toEqual([0, 'ok', clock.wall]);
    },
  );

  it.each([
    [4_000, 'corrected'],
    [-4_000, 'corrected'],
    [9_000, 'degraded'],
    [-60_000, 'degraded'],
  ])('F-100, F-101: an offset of %i ms is corrected (%s)', (offset, state) => {
    const { server, clock } = measured(offset);
    expect(server.state).toBe(state);
    expect(Math.abs(server.now() - (clock.wall + offset))).toBeLessThanOrEqual(520);
  });

  it.each([301_000, -301_000, 86_400_000])('F-101: an offset of %i ms is reported and not applied', (offset) => {
    const { server, clock } = measured(offset);
    expect([server.offsetMs, server.state, server.now()]).toEqual([0, 'refused', clock.wall]);
    expect(Math.abs(server.measuredOffsetMs - offset)).toBeLessThanOrEqual(520);
  });

  it('F-100: a clock that has been put right is believed at the next answer', () => {
    const { server, clock } = measured(8_000);
    exchange(server, clock, 0);
    expect([server.offsetMs, server.state]).toEqual([0, 'ok']);
  });

  it('F-102: a wall clock that is set forward by the offset needs no correction any more', () => {
    const { server, clock } = measured(60_000);
    clock.wall += 60_000;
    expect(Math.abs(server.offsetMs)).toBe(0);
    expect(server.now()).toBe(clock.wall);
  });

  it('F-103: a wall clock that is set back keeps pointing at the server’s time', () => {
    const { server, clock } = measured(0);
    exchange(server, clock, 3_000);
    const before = server.now();
    clock.wall -= 30_000;
    expect(server.now()).toBe(before);
  });

  it('F-104: waking from sleep leaves the offset as it was', () => {
    const { server, clock } = measured(60_000);
    clock.wall += 3_600_000;
    expect(Math.abs(server.offsetMs - 60_000)).toBeLessThanOrEqual(520);
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['ISO', '2026-11-24T12:00:00Z'],
    ['RFC 850', 'Tuesday, 24-Nov-26 12:00:00 GMT'],
    ['another zone', 'Tue, 24 Nov 2026 12:00:00 +0100'],
    ['no such month', 'Tue, 24 Nop 2026 12:00:00 GMT'],
    ['no such hour', 'Tue, 24 Nov 2026 25:61:00 GMT'],
    ['text around it', 'x Tue, 24 Nov 2026 12:00:00 GMT'],
    ['T-62: a million digits', '1'.repeat(1_000_000)],
  ])('a Date that is %s tells nothing', (_, date) => {
    const { server, clock } = measured(8_000);
    const before = server.offsetMs;
    expect(server.observe(date, clock.wall, clock.wall)).toBe(false);
    expect(server.offsetMs).toBe(before);
  });

  it('an answer that took too long, or came before it was asked for, tells nothing', () => {
    const clock = new FakeClock();
    const server = new ServerClock(clock);
    expect(exchange(server, clock, 8_000, 10_002)).toBe(false);
    expect(server.observe(header(clock.wall), clock.wall, clock.wall - 1)).toBe(false);
    expect(server.observe(header(clock.wall), Number.NaN, clock.wall)).toBe(false);
    expect(server.state).toBe('ok');
  });

  it('property: between two seconds and five minutes, now() is within half a second and half the round trip', () => {
    const size = fc.integer({ min: 3_600, max: 298_000 });
    fc.assert(
      fc.property(
        size,
        fc.boolean(),
        fc.nat(2_000),
        fc.nat(999),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (...args) => {
          const [magnitude, behind, roundTrip, fraction, split] = args;
          const offset = behind ? -magnitude : magnitude;
          const clock = new FakeClock();
          clock.wall += fraction;
          const server = new ServerClock(clock);
          const sent = clock.wall;
          clock.pass(roundTrip * split);
          const date = header(clock.wall + offset);
          clock.pass(roundTrip * (1 - split));
          server.observe(date, sent, clock.wall);
          expect(Math.abs(server.now() - (clock.wall + offset))).toBeLessThanOrEqual(501 + roundTrip / 2);
        },
      ),
    );
  });

  it('the system clock gives wall time and a time that does not go back', () => {
    const first = systemClock.monotonicMs();
    expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(first);
    expect(systemClock.wallMs()).toBeGreaterThan(Date.parse('2026-01-01'));
  });
});
