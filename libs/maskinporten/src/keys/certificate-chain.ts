import { X509Certificate, type KeyObject } from 'node:crypto';
import { KeyFailure } from './key-failure.js';
import { readPem, type PemBlock } from './pem-document.js';
import { detectKeyFormat } from './key-format.js';
import type { SecretBytes } from './secret-bytes.js';

/** Longer than any chain of an enterprise certificate; also ends a loop of cross-signed issuers. */
const MAX_CHAIN = 10;

/** Certificates of a PEM text (or its base64, or one certificate in DER), in the order they stand. */
export function readCertificates(input: string | Buffer, member: string, secrets: SecretBytes): X509Certificate[] {
  let bytes = typeof input === 'string' ? secrets.copyOf(input) : input;
  if (bytes.length > 1024 * 1024) throw new KeyFailure(member, 'is larger than 1 MiB');
  let format = detectKeyFormat(bytes);
  if (format === 'base64') {
    bytes = secrets.decodeBase64(bytes);
    format = detectKeyFormat(bytes);
  }
  if (format === 'der') return [parseCertificate(bytes, member)];
  if (format !== 'pem') throw new KeyFailure(member, 'holds no certificate in PEM form');
  const certificates = certificatesFromPem(readPem(bytes, member, secrets).blocks, member);
  if (certificates.length === 0) throw new KeyFailure(member, 'holds no certificate in PEM form');
  return certificates;
}

export function certificatesFromPem(blocks: readonly PemBlock[], member: string): X509Certificate[] {
  return blocks.filter(({ label }) => label === 'CERTIFICATE').map(({ pem }) => parseCertificate(pem, member));
}

/** What is read from a certificate later is read once here, so that damage is found where it has a name. */
export function parseCertificate(bytes: Buffer, member: string): X509Certificate {
  try {
    const certificate = new X509Certificate(bytes);
    if (
      certificate.publicKey.type === 'public' &&
      !Number.isNaN(endOf(certificate).getTime() - startOf(certificate).getTime())
    ) {
      return certificate;
    }
  } catch {
    // OpenSSL's own message says nothing that helps.
  }
  throw new KeyFailure(member, 'holds a certificate that is damaged');
}

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
    throw new KeyFailure(member, 'belongs to another key: no certificate in it has the public half of the private key');
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
