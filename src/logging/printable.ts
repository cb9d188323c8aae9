/** A signed token of any kind: three base64url parts, the first of which begins with `{"`. */
const JWT = /(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*/g;
/** The opaque rest of an Authorization header. */
const CREDENTIALS = /\b(Bearer|Basic) +[\w\-.~+/]{8,}=*/gi;
/** A private key, with real or escaped line breaks; cut off if its end is missing. */
const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/gs;
/** A digit of any script, or one that was percent-encoded, once or more. */
const DIGIT = String.raw`(?:\p{Nd}|%(?:25){0,3}(?:3\d|ef%(?:25){0,3}bc%(?:25){0,3}9\d))`;
/** What people, and encoders, put between the parts of a number. */
const BETWEEN = String.raw`(?:[\s.+_/,\p{Pd}\p{Cf}\u2212]|\\[nrt]|\\u[\da-f]{4}|%(?:25){0,3}(?:2[0b-f]|5f|0[9ad]|c2%(?:25){0,3}a0)){0,3}`;
/** Date, then individual and check digits: 01 01 70 123 45, with or without anything in between. */
const PERSON_NUMBER = [2, 2, 2, 3, 2].map((count) => `${DIGIT}{${count}}`).join(BETWEEN);
/** Ids, hashes and dates, in which eleven digits may follow each other by chance; or else a person number, in any spelling. */
const ID_OR_PERSON_NUMBER = new RegExp(
  String.raw`(?<id>\b(?:[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}|(?=\d*[a-f])[\da-f]{16,}|20\d\d-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*Z?)\b)|(?<!\p{Nd})${PERSON_NUMBER}(?!${DIGIT})`,
  'giu',
);
/** What a line of JSON is made of, as far as numbers are concerned: strings (one may be cut off), and whole numbers of eleven digits. */
const STRING_OR_ELEVEN_DIGITS = /"(?:[^"\\]|\\.)*(?:"|$)|(?<![\d.e+-])\d{11}(?![\d.e])/gis;
/** Characters that JSON leaves as they are and that can make one line look like two, or like another (T-57). */
const DECEIVING = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const SHOWN = '[redacted]';

/**
 * The last net under everything that is logged: what looks like a token, a private key or a person number is taken out, and
 * characters that deceive are written as escapes. Nothing should get here with a secret in it; this is for the day when it does.
 */
export function printable(line: string): string {
  const clean = line
    .replaceAll(JWT, SHOWN)
    .replaceAll(CREDENTIALS, (_match, scheme: string) => `${scheme} ${SHOWN}`)
    .replaceAll(PRIVATE_KEY, SHOWN)
    .replaceAll(DECEIVING, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  if (!clean.startsWith('{')) return withoutPersonNumbers(clean);
  // A part of a number in JSON is no person number, and what stands in place of a whole one has to be JSON too.
  return clean.replaceAll(STRING_OR_ELEVEN_DIGITS, (match) =>
    match.startsWith('"') ? withoutPersonNumbers(match) : `"${SHOWN}"`,
  );
}

const withoutPersonNumbers = (text: string): string =>
  text.replaceAll(ID_OR_PERSON_NUMBER, (match, id: string | undefined) => (id === undefined ? SHOWN : match));
