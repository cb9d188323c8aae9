import { SEALED_MEMBERS, type AuditRecord } from 'nestjs-maskinporten';

/** As they are hashed, with the hash itself at the end. */
const COLUMNS = [...SEALED_MEMBERS, 'hash'] as const;

/** What spreadsheets take for the beginning of a formula (OWASP, CSV injection), full-width forms too. */
const FORMULA = /^[\t\r=+\-@\uff1d\uff0b\uff0d\uff20]/;
const NEEDS_QUOTES = /[",\r\n]/;

/** Records as CSV (RFC 4180) with a line of names. A cell that a spreadsheet would run gets an apostrophe in front. */
export function csvOf(records: readonly AuditRecord[]): string {
  const lines = records.map((record) => COLUMNS.map((column) => cell(record[column])).join(','));
  return [COLUMNS.join(','), ...lines, ''].join('\r\n');
}

function cell(value: AuditRecord[keyof AuditRecord]): string {
  if (value === undefined) return '';
  const text = typeof value === 'object' ? value.join(' ') : String(value);
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
