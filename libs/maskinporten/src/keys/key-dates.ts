import { KeyFailure } from '../key-files/index.js';
import type { KeyDates } from './key-source.js';

const ISO_DATE = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]{5,15}(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/** @throws KeyFailure for an invalid date. */
export function datesOf(source: KeyDates): { registeredAt: Date | undefined; activeFrom: Date | undefined } {
  return {
    registeredAt: dateOf(source.registeredAt, 'registeredAt'),
    activeFrom: dateOf(source.activeFrom, 'activeFrom'),
  };
}

function dateOf(value: Date | string | undefined, member: string): Date | undefined {
  if (value === undefined) return undefined;
  const date = value instanceof Date ? new Date(value) : ISO_DATE.test(value) ? new Date(value) : new Date(Number.NaN);
  if (Number.isNaN(date.getTime())) throw new KeyFailure(member, 'must be an ISO date such as 2026-01-31', 'source');
  return date;
}
