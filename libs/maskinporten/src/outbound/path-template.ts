import { redact } from '../basics/index.js';

/** A segment that names one thing: a number of six digits or more, a UUID, or something long that nobody types. */
const IDENTIFIER = /\d{6}|^[0-9a-f]{8}-[0-9a-f]{4}-|^[^.]{33,}$/i;
/** Digits that were escaped are still digits. */
const ESCAPED = /%[0-9a-f]{2}/gi;
const ESCAPED_TIMES = 3;
const LONGEST = 256;
const TEMPLATE = /^\/[\x21\x22\x24-\x3e\x40-\x7e]*$/;

/**
 * A path for logs and the audit log: what names a person, an organisation or a document becomes `{id}`.
 *
 * @param pathname of a URL, without its query
 */
export function pathTemplateOf(pathname: string): string {
  const segments = pathname.split('/').map((segment) => (isIdentifier(segment) ? '{id}' : segment));
  return segments.join('/').slice(0, LONGEST);
}

/** The template that a call gives itself, when it is one: a path without query, of printable ASCII. */
export const isPathTemplate = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.length <= LONGEST &&
  TEMPLATE.test(value) &&
  !/\d{6}/.test(value) &&
  redact(value) === value;

function isIdentifier(segment: string): boolean {
  let text = segment;
  for (let round = 0; round < ESCAPED_TIMES; round += 1) {
    if (IDENTIFIER.test(text) || hasManyDigits(text) || isRedacted(text)) return true;
    if (!text.includes('%')) return false;
    const plain = text.replaceAll(ESCAPED, unescaped);
    if (plain === text) return false;
    text = plain;
  }
  // Whoever escapes so often has something to hide.
  return true;
}

/** A path has no sentences, so that its rule can be stricter than `redact`: eleven digits, however they are taken apart. */
const hasManyDigits = (text: string): boolean =>
  text.length >= 11 && text.replaceAll(ESCAPED, '').replaceAll(/\D/g, '').length >= 11;

/** Most segments are short words: only what has room for a number or a token is looked at closely. */
const isRedacted = (text: string): boolean => text.length >= 11 && /[\d%]|eyJ/.test(text) && redact(text) !== text;

const unescaped = (code: string): string => String.fromCharCode(Number.parseInt(code.slice(1), 16));
