import { redact } from '../basics/index.js';

/** Longest server sentence that is kept. */
const MAX_LENGTH = 300;
/** Only this much of a hostile answer is looked at, so that cleaning stays linear in something small (T-62). */
const MAX_INPUT = 4_096;

/** RFC 6749 §5.2 allows %x20-21, %x23-5B and %x5D-7E in error_description; Norwegian letters occur too. */
const NOT_ALLOWED = /[^\x20\x21\x23-\x5b\x5d-\x7eæøåÆØÅ]/g;
/**
 * Long unbroken runs that `redact` does not know: the middle of a token, key material. Scopes can be as long, but have no
 * capitals together with digits. Only here, since logs and paths of our own have such runs (thumbprints, file names).
 */
const LONG_RUN = /[\w+/=.-]{40,}/g;
const redactSecretShaped = (run: string): string => (/[A-Z]/.test(run) && /\d/.test(run) ? '[redacted]' : run);

/**
 * Cleans a text that a server wrote before it may enter an error, a log or a problem document: control and
 * bidirectional characters go (T-57), everything that looks like a token, an assertion or key material is replaced
 * (T-05), and it is cut at 300 characters.
 *
 * @param text what the server wrote
 * @param secrets exact values that were sent and must not come back, such as the assertion
 */
export function sanitiseText(text: unknown, secrets: readonly string[] = []): string | undefined {
  if (typeof text !== 'string') return undefined;
  // By shape first: once a known part is replaced, what is left of a token that was cut off has no shape any more.
  let clean = redact(text.slice(0, MAX_INPUT).replaceAll(NOT_ALLOWED, '')).replaceAll(LONG_RUN, redactSecretShaped);
  for (const secret of secrets) {
    if (secret.length >= 8) clean = clean.replaceAll(secret, '[redacted]');
  }
  clean = clean.trim();
  if (clean.length > MAX_LENGTH) clean = `${clean.slice(0, MAX_LENGTH - 3).trimEnd()}...`;
  return clean === '' ? undefined : clean;
}
