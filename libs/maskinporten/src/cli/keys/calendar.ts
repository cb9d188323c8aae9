import { createHash } from 'node:crypto';

/** Something to be reminded of. */
export interface CalendarEvent {
  /** What identifies it, the same each time the file is written, so that a calendar replaces what it had. */
  readonly id: string;
  readonly at: Date;
  readonly summary: string;
  readonly description: string;
}

/** How long before an event there are alarms. */
const ALARM_DAYS = [60, 30, 7, 1] as const;
const MAX_OCTETS = 75;

/** A calendar file (RFC 5545) with the events and an alarm 60, 30, 7 and 1 days before each. */
export function calendar(events: readonly CalendarEvent[], now: Date): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//nestjs-maskinporten//keys inspect//EN',
    'CALSCALE:GREGORIAN',
    ...events.flatMap((event) => eventLines(event, now)),
    'END:VCALENDAR',
  ];
  return lines.map((line) => `${fold(line)}\r\n`).join('');
}

function eventLines({ id, at, summary, description }: CalendarEvent, now: Date): string[] {
  return [
    'BEGIN:VEVENT',
    `UID:${createHash('sha256').update(id).digest('hex').slice(0, 32)}@nestjs-maskinporten`,
    `DTSTAMP:${utc(now)}`,
    `DTSTART:${utc(at)}`,
    `SUMMARY:${escape(summary)}`,
    `DESCRIPTION:${escape(description)}`,
    // It takes up nobody's time.
    'TRANSP:TRANSPARENT',
    ...ALARM_DAYS.flatMap((days) => [
      'BEGIN:VALARM',
      'ACTION:DISPLAY',
      `TRIGGER:-P${days}D`,
      `DESCRIPTION:${escape(`${summary} (${days} d)`)}`,
      'END:VALARM',
    ]),
    'END:VEVENT',
  ];
}

/** RFC 5545 §3.3.5, form 2. */
const utc = (date: Date): string => date.toISOString().replaceAll(/[-:]|\.\d{3}/g, '');

/** RFC 5545 §3.3.11; other control characters are not allowed there at all. */
function escape(text: string): string {
  return text
    .replaceAll(/[\\;,]/g, String.raw`\$&`)
    .replaceAll(/\r?\n/g, String.raw`\n`)
    .replaceAll(/\p{Cc}/gu, ' ');
}

/** RFC 5545 §3.1: lines of at most 75 octets, and no character is cut in two. */
function fold(line: string): string {
  const lines: string[] = [];
  let current = '';
  let octets = 0;
  for (const character of line) {
    const size = Buffer.byteLength(character);
    if (octets + size > MAX_OCTETS) {
      lines.push(current);
      // The space that starts the next line counts.
      current = ' ';
      octets = 1;
    }
    current += character;
    octets += size;
  }
  return [...lines, current].join('\r\n');
}
