import { isRecord, ownMembers } from '../basics/index.js';
import { createError, type MaskinportenError } from '../errors/index.js';

/** What callers give, checked before anything is sent. Own members only, so that a polluted prototype adds nothing (T-66). */
export function inputRecord(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw wrongInput(field, 'must be an object');
  return ownMembers(value);
}

/** Undefined reads as an empty list. */
export function inputList(value: unknown, field: string): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw wrongInput(field, 'must be a list');
  // Copied, since holes of a list are skipped by `map`.
  return Array.from(value as readonly unknown[]);
}

/** Without spaces around it, as Altinn reads it; never empty. */
export function inputText(value: unknown, field: string): string {
  const text = typeof value === 'string' ? value.trim() : '';
  if (text === '') throw wrongInput(field, 'must be a text that is not empty');
  return text;
}

export function optionalText(value: unknown, field: string): string | undefined {
  return value === undefined ? undefined : inputText(value, field);
}

export function optionalFlag(value: unknown, field: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw wrongInput(field, 'must be true or false');
}

export function optionalSignal(value: unknown, field: string): AbortSignal | undefined {
  if (value === undefined) return undefined;
  // Not `instanceof`: signals come from other realms and libraries too.
  const isSignal = typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value;
  if (isSignal) return value as AbortSignal;
  throw wrongInput(field, 'must be an AbortSignal');
}

export const wrongInput = (field: string, reason: string): MaskinportenError =>
  createError('MP_REQUEST', { message: `${field} ${reason}. Nothing was sent.`, field });
