import type { KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';

/** RFC 7638, SHA-256, base64url. RSA keys only. */
export function jwkThumbprint(publicKey: KeyObject): Promise<string> {
  const { kty, n, e } = publicKey.export({ format: 'jwk' });
  return calculateJwkThumbprint({ kty: String(kty), n: String(n), e: String(e) }, 'sha256');
}
