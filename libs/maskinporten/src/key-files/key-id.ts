import { createHash, type KeyObject } from 'node:crypto';
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

/** RFC 7638, SHA-256, base64url. RSA keys only. */
export async function jwkThumbprint(publicKey: KeyObject): Promise<string> {
  const { kty, n, e } = publicKey.export({ format: 'jwk' });
  // The required members in alphabetical order, without spaces (RFC 7638 §3.3). Not with jose: every start would load it.
  return Promise.resolve(createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url'));
}
