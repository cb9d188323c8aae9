import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import ICAL from 'ical.js';
import { calendar } from './calendar.js';

const now = new Date('2026-11-24T12:34:56.789Z');
const event = {
  id: 'certificate 00:11',
  at: new Date('2027-01-01T00:00:00Z'),
  summary: 'Sertifikatet går ut; bytt, snart',
  description: 'Linje én\nLinje to \\ ferdig',
};
/** What a program that reads calendars makes of the text. */
const eventsOf = (text: string): ICAL.Event[] =>
  new ICAL.Component(ICAL.parse(text) as unknown[]).getAllSubcomponents('vevent').map((one) => new ICAL.Event(one));

const uids = (text: string): string[] => eventsOf(text).map(({ uid }) => uid);

describe('the calendar file', () => {
  it('is read by a calendar library, with everything as it was', () => {
    const [read] = eventsOf(calendar([event], now));
    expect(read?.summary).toBe(event.summary);
    expect(read?.description).toBe(event.description);
    expect(read?.startDate.toJSDate()).toEqual(event.at);
    expect(read?.component.getFirstPropertyValue('dtstamp')?.toString()).toBe('2026-11-24T12:34:56Z');
  });

  it('has alarms 60, 30, 7 and 1 days before', () => {
    const [read] = eventsOf(calendar([event], now));
    const alarms = read?.component.getAllSubcomponents('valarm') ?? [];
    expect(alarms.map((alarm) => alarm.getFirstPropertyValue('trigger')?.toString())).toEqual([
      '-P60D',
      '-P30D',
      '-P7D',
      '-P1D',
    ]);
    for (const alarm of alarms) {
      expect(alarm.getFirstPropertyValue('action')).toBe('DISPLAY');
      expect(alarm.getFirstPropertyValue('description')).toContain(event.summary);
    }
  });

  it('keeps the UID of an event from one file to the next, and gives each its own', () => {
    const both = [event, { ...event, id: 'registered-key abc' }];
    const [first, second] = uids(calendar(both, now));
    expect(first).not.toBe(second);
    expect(uids(calendar(both, new Date(0)))).toEqual([first, second]);
  });

  it('RFC 5545 §3.1: every line ends with CRLF and has at most 75 octets, whatever is written in it', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        fc.string({ unit: 'binary', maxLength: 100 }),
        (summary, description) => {
          const text = calendar([{ ...event, summary, description }], now);
          expect(text.endsWith('\r\n')).toBe(true);
          for (const line of text.split('\r\n')) {
            expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
            expect(line).not.toMatch(/[\r\n]/);
          }
          const unfolded = text.replaceAll('\r\n ', '');
          expect(unfolded).not.toContain('\uFFFD'.repeat(2));
          const [read] = eventsOf(text);
          expect(read?.summary ?? '').toBe(summary.replaceAll(/\r?\n/g, '\n').replaceAll(/(?!\n)\p{Cc}/gu, ' '));
        },
      ),
    );
  });
});
