import { isRecord } from '../basics/index.js';
/**
 * Tolerant readers for Altinn's JSON: the documentation prints PascalCase where the servers write camelCase, and null
 * properties are omitted (Altinn, system users; Altinn, access control). Own properties only, so that a polluted prototype adds nothing.
 */

export type WireRecord = Readonly<Record<string, unknown>>;

/** The property of that name, whatever the case of its letters; `null` reads as absent. */
export function read(record: WireRecord, name: string): unknown {
  const exact = Object.hasOwn(record, name) ? record[name] : undefined;
  if (exact !== undefined) return exact ?? undefined;
  const wanted = name.toLowerCase();
  const found = Object.keys(record).find((key) => key.toLowerCase() === wanted);
  return found === undefined ? undefined : (record[found] ?? undefined);
}

export function readText(record: WireRecord, name: string): string | undefined {
  const value = read(record, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The list of that name; undefined when it is absent, and also when it is no list. */
export function readList(record: WireRecord, name: string): readonly unknown[] | undefined {
  const value = read(record, name);
  return Array.isArray(value) ? value : undefined;
}

export function readRecords(record: WireRecord, name: string): readonly WireRecord[] {
  return (readList(record, name) ?? []).filter(isRecord);
}

export function readDate(record: WireRecord, name: string): Date | undefined {
  const text = readText(record, name);
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : new Date(ms);
}
