import { SEALED_MEMBERS, type AuditRecord } from 'nestjs-maskinporten';

/** As they are hashed, with the hash itself at the end. */
const COLUMNS = [...SEALED_MEMBERS, 'hash'] as const;

/** What spreadsheets take for the beginning of a formula (OWASP, CSV injection), full-width and small forms too. */
const FORMULA = '[=+\\-@\\uff1d\\uff0b\\uff0d\\uff20\\ufe66\\ufe62\\ufe63\\ufe6b]';
/** White space, what cannot be seen, and quotes: some programs pass over them. */
const PASSED_OVER = `[\\s\\p{Cc}\\p{Cf}"'\u2018\u2019\u201c\u201d]*`;
const BEGINS_LIKE_FORMULA = new RegExp(`^(?:[\\t\\r\\n]|${PASSED_OVER}${FORMULA})`, 'u');
/** Where a comma is the decimal sign, as in Norway, Excel begins a new cell here, also inside quotes. */
const BEGINS_AFTER_SEMICOLON = new RegExp(`;(?=${PASSED_OVER}${FORMULA})`, 'gu');
const NEEDS_QUOTES = /[",;\r\n]/;

/** Records as CSV (RFC 4180) with a line of names. A cell that a spreadsheet would run gets an apostrophe in front. */
export function csvOf(records: readonly AuditRecord[]): string {
  const lines = records.map((record) => COLUMNS.map((column) => cell(record[column])).join(','));
  return [COLUMNS.join(','), ...lines, ''].join('\r\n');
}

function cell(value: AuditRecord[keyof AuditRecord]): string {
  if (value === undefined) return '';
  // A number stays one, also a negative one: nobody can write a formula into it.
  if (typeof value === 'number') return String(value);
  const text = (typeof value === 'object' ? value.join(' ') : value).replaceAll(BEGINS_AFTER_SEMICOLON, ";'");
  const harmless = BEGINS_LIKE_FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

const PART = /^([\w!#$&^+.*-]+\/[\w!#$&^+.*-]+)(?:;.*?\bq=([01](?:\.\d{1,3})?))?/;

/** Whether an `Accept` header (RFC 9110 §12.5.1) prefers CSV to JSON; equal wishes get JSON. */
export function prefersCsv(accept: string | undefined): boolean {
  const weights = new Map<string, number>();
  for (const part of (accept ?? '').slice(0, 1_000).toLowerCase().split(',')) {
    const [, type, q = '1'] = PART.exec(part.trim().replaceAll(' ', '')) ?? [];
    if (type !== undefined) weights.set(type, Number(q));
  }
  const csv = weights.get('text/csv') ?? weights.get('text/*') ?? 0;
  const json = weights.get('application/json') ?? weights.get('application/*') ?? weights.get('*/*') ?? 0;
  return csv > json;
}
