import type { KeyObject } from 'node:crypto';
import type { SigningAlgorithm } from '../keys/index.js';

/** What self-service takes: RSA with every one of these members (Digdir, client keys). */
export interface PublicJwk {
  readonly kty: 'RSA';
  readonly use: 'sig';
  readonly alg: SigningAlgorithm;
  readonly kid: string;
  readonly e: string;
  readonly n: string;
}

/** The public JWK of an RSA key, ready to be uploaded. */
export function publicJwk(publicKey: KeyObject, { kid, alg }: Pick<PublicJwk, 'kid' | 'alg'>): PublicJwk {
  const { e = '', n = '' } = publicKey.export({ format: 'jwk' });
  return { kty: 'RSA', use: 'sig', alg, kid, e, n };
}

/** What Digdir's self-service takes as a kid (Digdir, client keys). */
export const isUploadableKid = (kid: string): boolean => /^[\w.-]{1,128}$/.test(kid);
