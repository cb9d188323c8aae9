/** The algorithms Maskinporten accepts for a grant (Digdir, JWT grant): RSASSA-PKCS1-v1_5 only. */
export type SigningAlgorithm = 'RS256' | 'RS384' | 'RS512';

/** Name of the digest of an algorithm, as `node:crypto` and WebCrypto write it. */
export const DIGEST_OF: Readonly<Record<SigningAlgorithm, 'SHA-256' | 'SHA-384' | 'SHA-512'>> = {
  RS256: 'SHA-256',
  RS384: 'SHA-384',
  RS512: 'SHA-512',
};

export function isSigningAlgorithm(value: unknown): value is SigningAlgorithm {
  return value === 'RS256' || value === 'RS384' || value === 'RS512';
}
