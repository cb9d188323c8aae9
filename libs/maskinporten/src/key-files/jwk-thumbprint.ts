import { createHash, type KeyObject } from 'node:crypto';

/** RFC 7638, SHA-256, base64url. RSA keys only. */
export async function jwkThumbprint(publicKey: KeyObject): Promise<string> {
  const { kty, n, e } = publicKey.export({ format: 'jwk' });
  // The required members in alphabetical order, without spaces (RFC 7638 §3.3). Not with jose: every start would load it.
  return Promise.resolve(createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url'));
}
