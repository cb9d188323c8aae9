import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { certificateUsage } from './certificate-usage.js';
import { jwkThumbprint } from './key-id.js';
import { KeyFailure } from './key-failure.js';
import type { Pkcs12Contents } from './open-pkcs12.js';

export interface ChooseKeyOptions {
  /** What was configured as `kid`. */
  readonly kid?: string | undefined;
  /** SHA-256 of the certificate whose key signs, in hexadecimal digits, with or without colons. */
  readonly certificateFingerprint?: string | undefined;
  /** How failures name the source: `pem`, `jwk`, `file`. */
  readonly member: string;
}

interface Candidate {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Those for this very key. */
  readonly certificates: readonly X509Certificate[];
}

/**
 * The key to sign with: the one whose certificate was named; else the only one; else the one whose thumbprint is the
 * configured `kid`; else the only RSA key whose certificate is for authentication.
 *
 * @throws KeyFailure when the file has no such key, or more than one (F-115).
 */
export async function choosePkcs12Key(
  { keys, certificates }: Pkcs12Contents,
  { kid, certificateFingerprint, member }: ChooseKeyOptions,
): Promise<KeyObject> {
  const all = candidatesOf(keys, certificates);
  const [first] = all;
  if (first === undefined) {
    const what = certificates.length > 0 ? 'certificates only' : 'no private key';
    throw new KeyFailure(member, `holds ${what}: the private key is needed to sign`);
  }
  if (certificateFingerprint !== undefined) return byFingerprint(all, certificateFingerprint);
  if (all.length === 1) return first.privateKey;
  const rsa = all.filter(({ privateKey }) => privateKey.asymmetricKeyType === 'rsa');
  const byKid = kid === undefined ? undefined : await byThumbprint(rsa, kid);
  const choice = byKid ?? only(rsa) ?? only(withUsage(rsa, 'signs')) ?? only(withUsage(rsa, 'authenticates'));
  if (choice !== undefined) return choice.privateKey;
  const fingerprints = all.flatMap((candidate) => candidate.certificates.map(({ fingerprint256 }) => fingerprint256));
  const reason =
    `holds ${all.length} private keys, and nothing says which one signs: set certificateFingerprint to the SHA-256 of ` +
    `its certificate (${fingerprints.join(', ') || 'they have no certificate: keep one key in the file'})`;
  throw new KeyFailure(member, reason, 'choice');
}

/** A file may hold one key several times; it is still one key. */
function candidatesOf(keys: readonly KeyObject[], certificates: readonly X509Certificate[]): Candidate[] {
  const candidates: Candidate[] = [];
  for (const privateKey of keys) {
    const publicKey = createPublicKey(privateKey);
    if (candidates.some((other) => other.publicKey.equals(publicKey))) continue;
    const own = certificates.filter((certificate) => certificate.publicKey.equals(publicKey));
    candidates.push({ privateKey, publicKey, certificates: own });
  }
  return candidates;
}

function byFingerprint(candidates: readonly Candidate[], wanted: string): KeyObject {
  const digits = wanted.replaceAll(':', '').toUpperCase();
  const found = candidates.find(({ certificates }) =>
    certificates.some(({ fingerprint256 }) => fingerprint256.replaceAll(':', '') === digits),
  );
  if (found === undefined) {
    const reason = 'is not that of a certificate in the file that has its private key there';
    throw new KeyFailure('certificateFingerprint', reason, 'choice');
  }
  return found.privateKey;
}

async function byThumbprint(candidates: readonly Candidate[], kid: string): Promise<Candidate | undefined> {
  for (const candidate of candidates) {
    if ((await jwkThumbprint(candidate.publicKey)) === kid) return candidate;
  }
  return undefined;
}

function withUsage(candidates: readonly Candidate[], usage: 'signs' | 'authenticates'): readonly Candidate[] {
  return candidates.filter(({ certificates }) =>
    certificates.some((certificate) => certificateUsage(certificate)[usage]),
  );
}

function only(candidates: readonly Candidate[]): Candidate | undefined {
  return candidates.length === 1 ? candidates[0] : undefined;
}
