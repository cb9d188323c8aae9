/** A JSON Web Token, or a piece of one that has its beginning: `{"` in base64url. */
const TOKEN = /eyJ[\w.+/=-]{8,}/g;
/** The opaque rest of an Authorization header. */
const CREDENTIALS = /\b(Bearer|Basic|DPoP) +[\w\-.~+/]{8,}=*/gi;
/** A private key, with real or escaped line breaks; to the end of the text if its own end is missing. */
const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/gs;

/** A digit of any script, or one that was percent-encoded, once or more. */
const DIGIT = String.raw`(?:\p{Nd}|%(?:25){0,3}(?:3\d|ef%(?:25){0,3}bc%(?:25){0,3}9\d))`;
/** What people, and encoders, put between the parts of a number. */
const BETWEEN = String.raw`(?:[\s.+_/,\p{Pd}\p{Cf}\u2212]|\\[nrt]|\\u[\da-f]{4}|%(?:25){0,3}(?:2[0b-f]|5f|0[9ad]|c2%(?:25){0,3}a0))`;
const digits = (count: number): string => `${DIGIT}{${count}}`;
/** Eleven digits, of which the date comes first: 01 01 70 123 45, with or without anything in between. */
const PERSON_NUMBER = [2, 2, 2, 3, 2].map(digits).join(`${BETWEEN}{0,3}`);
/** An organisation number beside a number of two digits (`310000027, 12`) is not one. */
const ORGANISATION_NUMBER = `(?!(?:${digits(9)}${BETWEEN}{1,3}${digits(2)}|${digits(2)}${BETWEEN}{1,3}${digits(9)})(?!${DIGIT}))`;
/** UUIDs, hashes and times, in which eleven digits may follow each other by chance. */
const ID = String.raw`\b(?:[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}|(?=\d*[a-f])[\da-f]{16,}|20\d\d-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*Z?)\b`;
const ID_OR_PERSON_NUMBER = new RegExp(
  `(?<id>${ID})|(?<!\\p{Nd})${ORGANISATION_NUMBER}${PERSON_NUMBER}(?!${DIGIT})`,
  'giu',
);

const REDACTED = '[redacted]';

/**
 * The one redactor of errors, logs, the audit log, telemetry and paths. It takes out what looks like a token, a private key
 * or a person number (11 digits, in any spelling that people and encoders use). Organisation numbers (9 digits), UUIDs,
 * hashes and times stay. It is the last net: nothing should get here with a secret in it.
 *
 * @returns the same text with `[redacted]` in those places; it may be longer than `text`
 * @example redact('no access for 010170 12345') // 'no access for [redacted]'
 */
export function redact(text: string): string {
  return text
    .replaceAll(TOKEN, REDACTED)
    .replaceAll(CREDENTIALS, (_match, scheme: string) => `${scheme} ${REDACTED}`)
    .replaceAll(PRIVATE_KEY, REDACTED)
    .replaceAll(ID_OR_PERSON_NUMBER, (match, id: string | undefined) => (id === undefined ? REDACTED : match));
}
