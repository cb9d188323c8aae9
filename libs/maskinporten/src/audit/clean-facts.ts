import { isUuid, printable, redact } from '../basics/index.js';
import type { AuditEntry, AuditFacts } from './audit-record.js';

/** Longest text that is kept; what a request can name is bounded, what it can send is not. */
const MAX_LENGTH = 512;
const MAX_SCOPES = 100;
/** Only this much is looked at, so that cleaning stays linear in something small (T-62). */
const MAX_INPUT = 4_096;

/**
 * Makes a text fit for a log that cannot be changed afterwards: no person number, no token, nothing that a terminal or
 * a spreadsheet would obey. UUIDs stay whole, whatever digits they have.
 *
 * @returns undefined when nothing is left
 */
export function cleanText(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (isUuid(text)) return text;
  // The cut may have halved a pair of surrogates.
  const clean = printable(redact(printable(text.slice(0, MAX_INPUT))).slice(0, MAX_LENGTH));
  return clean === '' ? undefined : clean;
}

function cleanList(texts: readonly string[] | undefined): readonly string[] | undefined {
  if (texts === undefined || texts.length === 0) return undefined;
  return Object.freeze(
    texts.slice(0, MAX_SCOPES).flatMap((text) => {
      const clean = cleanText(text);
      return clean === undefined ? [] : [clean];
    }),
  );
}

function cleanNumber(value: number | undefined): number | undefined {
  if (value === undefined || !Number.isFinite(value)) return undefined;
  return Math.min(Math.max(Math.round(value), 0), 2_147_483_647);
}

/** Named one by one: whatever else an object carries – tokens, bodies – has no way into the log. */
const TEXTS = [
  'requestId',
  'callId',
  'caller',
  'client',
  'organisation',
  'method',
  'host',
  'pathTemplate',
  'errorCode',
  'jti',
  'kid',
  'decision',
  'externalRef',
  'party',
  'resource',
  'action',
  'source',
] as const satisfies readonly (keyof AuditFacts)[];

/** The facts of an entry as they are stored: known members only, cleaned, absent when empty. */
export function cleanFacts(entry: AuditEntry): AuditFacts {
  const facts: { -readonly [Member in keyof AuditFacts]: AuditFacts[Member] } = {};
  for (const member of TEXTS) {
    const text = cleanText(entry[member]);
    if (text !== undefined) facts[member] = text;
  }
  const scopes = cleanList(entry.scopes);
  if (scopes !== undefined) facts.scopes = scopes;
  const status = cleanNumber(entry.status);
  if (status !== undefined) facts.status = status;
  const durationMs = cleanNumber(entry.durationMs);
  if (durationMs !== undefined) facts.durationMs = durationMs;
  // A path that was given with its query loses it.
  if (facts.pathTemplate !== undefined) facts.pathTemplate = facts.pathTemplate.replace(/[?#].*$/s, '');
  return facts;
}
