import { X509Certificate } from 'node:crypto';
import type { CertificateUsage } from './certificate-usage.js';
import { MAX_KEY_BYTES, detectKeyFormat } from './key-format.js';
import { KeyFailure } from './key-failure.js';
import { readPem, type PemBlock } from './pem-document.js';
import type { SecretBytes } from './secret-bytes.js';

/** Certificates of a PEM text (or its base64, or one certificate in DER), in the order they stand. */
export function readCertificates(input: string | Buffer, member: string, secrets: SecretBytes): X509Certificate[] {
  let bytes = typeof input === 'string' ? secrets.copyOf(input) : input;
  if (bytes.length > MAX_KEY_BYTES) throw new KeyFailure(member, 'is larger than 1 MiB');
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
    const { publicKey, validFrom, validTo } = certificate;
    if (publicKey.type === 'public' && !Number.isNaN(Date.parse(validTo) - Date.parse(validFrom))) return certificate;
  } catch {
    // OpenSSL's own message says nothing that helps.
  }
  throw new KeyFailure(member, 'holds a certificate that is damaged');
}

/** What a certificate was issued for. Loaded when it is asked: it brings the ASN.1 library. */
export async function usageOf(certificate: X509Certificate): Promise<CertificateUsage> {
  const { certificateUsage } = await import('./certificate-usage.js');
  return certificateUsage(certificate);
}
