import type { AuditEntry, AuditFacts } from './audit-record.js';
import { cleanList, cleanNumber, cleanText } from './clean-text.js';

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
