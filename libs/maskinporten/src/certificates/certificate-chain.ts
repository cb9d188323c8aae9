import type { KeyObject, X509Certificate } from 'node:crypto';
import { KeyFailure } from '../key-files/index.js';

/** Longer than any chain of an enterprise certificate; also ends a loop of cross-signed issuers. */
const MAX_CHAIN = 10;

/**
 * The chain of `publicKey`'s certificate, leaf first, each one signed by the next (RFC 7515 §4.1.6), whatever order the
 * certificates came in. Certificates that are not part of it are left out; the root is kept when it is there.
 * When a certificate was renewed on the same key, the one that lasts longest is the leaf.
 *
 * @throws KeyFailure when none of the certificates belongs to the key.
 */
export function orderChain(
  certificates: readonly X509Certificate[],
  publicKey: KeyObject,
  member: string,
): readonly [X509Certificate, ...X509Certificate[]] {
  const [leaf] = certificates
    .filter((certificate) => certificate.publicKey.equals(publicKey))
    .toSorted((a, b) => endOf(b).getTime() - endOf(a).getTime());
  if (leaf === undefined) {
    const reason = 'belongs to another key: no certificate in it has the public half of the private key';
    throw new KeyFailure(member, reason, 'certificate-of-another-key');
  }
  const chain: [X509Certificate, ...X509Certificate[]] = [leaf];
  const rest = new Set(certificates.filter((certificate) => certificate !== leaf));
  let last = leaf;
  while (chain.length < MAX_CHAIN) {
    const issuer = [...rest].find((candidate) => issued(candidate, last));
    if (issuer === undefined) break;
    rest.delete(issuer);
    chain.push(issuer);
    last = issuer;
  }
  return chain;
}

function issued(issuer: X509Certificate, subject: X509Certificate): boolean {
  if (subject.fingerprint256 === issuer.fingerprint256) return false;
  return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

export function startOf(certificate: X509Certificate): Date {
  return new Date(certificate.validFrom);
}

export function endOf(certificate: X509Certificate): Date {
  return new Date(certificate.validTo);
}
