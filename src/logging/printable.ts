import { redact } from 'nestjs-maskinporten';

/** What a line of JSON is made of, as far as numbers are concerned: strings (one may be cut off), and whole numbers of eleven digits. */
const STRING_OR_ELEVEN_DIGITS = /"(?:[^"\\]|\\.)*(?:"|$)|(?<![\d.e+-])\d{11}(?![\d.e])/gis;
/** Characters that JSON leaves as they are and that can make one line look like two, or like another (T-57). */
const DECEIVING = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/**
 * The last net under everything that is logged: the library's redactor, and characters that deceive are written as escapes.
 * Nothing should get here with a secret in it; this is for the day when it does.
 */
export function printable(line: string): string {
  const clean = line.replaceAll(
    DECEIVING,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  if (!clean.startsWith('{')) return redact(clean);
  // A part of a number in JSON is not a person number, and what stands in place of a whole one has to be JSON too.
  return clean.replaceAll(STRING_OR_ELEVEN_DIGITS, (match) => {
    if (!match.startsWith('"')) return redact(`"${match}"`);
    // The closing quote stays, whatever is taken out before it.
    return match.length > 1 && match.endsWith('"') ? `"${redact(match.slice(1, -1))}"` : redact(match);
  });
}
