import type { KeyObject } from 'node:crypto';
import { UsageError } from '../exit.js';
import type { SigningAlgorithm } from '../../key-files/index.js';

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

/** @throws UsageError for a `--kid` that self-service would refuse. */
export function checkUploadableKid(kid: string | undefined): void {
  if (kid === undefined || isUploadableKid(kid)) return;
  throw new UsageError({
    en: '--kid must be 1 to 128 letters, digits, dots, hyphens and underscores: self-service takes no others.',
    nb: '--kid må være 1 til 128 bokstaver, sifre, punktum, bindestreker og understreker: selvbetjeningen tar ikke andre.',
  });
}
