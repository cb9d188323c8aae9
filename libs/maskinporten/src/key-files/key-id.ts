import { KeyFailure } from './key-failure.js';

/**
 * Visible ASCII, because the kid is copied into headers, logs and metrics. Digdir's self-service takes fewer characters
 * (letters, digits, `.`, `_`, `-`), but keys registered through its API long ago carry others.
 */
const KID = /^[\x21-\x7e]{1,128}$/;

export function checkKid(kid: unknown, member: string): string {
  if (typeof kid !== 'string') throw new KeyFailure(member, 'kid must be a string', 'kid-malformed');
  if (kid.length > 128) throw new KeyFailure(member, 'kid is longer than 128 characters', 'kid-malformed');
  if (!KID.test(kid)) {
    const reason = 'kid must be 1 to 128 visible ASCII characters, without spaces or line breaks';
    throw new KeyFailure(member, reason, 'kid-malformed');
  }
  return kid;
}
