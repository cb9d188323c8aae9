import { isUuid, printable, redact } from '../basics/index.js';

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

export function cleanList(texts: readonly string[] | undefined): readonly string[] | undefined {
  if (texts === undefined || texts.length === 0) return undefined;
  return Object.freeze(
    texts.slice(0, MAX_SCOPES).flatMap((text) => {
      const clean = cleanText(text);
      return clean === undefined ? [] : [clean];
    }),
  );
}

export function cleanNumber(value: number | undefined): number | undefined {
  if (value === undefined || !Number.isFinite(value)) return undefined;
  return Math.min(Math.max(Math.round(value), 0), 2_147_483_647);
}
