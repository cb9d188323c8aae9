import type { X509Certificate } from 'node:crypto';
// Not for its exports: `toLegacyObject()` in a process that has not loaded this module leaves it without
// `createSecureContext`, and every TLS connection of the process fails from then on (Node 20 to 24).
import 'node:tls';

const MAX_CHAIN = 8;

export function isWithinValidity(certificate: X509Certificate, nowSeconds: number): boolean {
  const now = nowSeconds * 1000;
  return Date.parse(certificate.validFrom) <= now && now < Date.parse(certificate.validTo);
}

function issued(issuer: X509Certificate, subject: X509Certificate): boolean {
  return issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

/** Whether the first certificate leads, through the others, to a root; every certificate above the first is in date. */
export function chainIsTrusted(
  chain: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  nowSeconds: number,
): boolean {
  const [leaf, ...intermediates] = chain;
  let current = leaf;
  for (let depth = 0; current !== undefined && depth < MAX_CHAIN; depth += 1) {
    const subject: X509Certificate = current;
    if (roots.some((root) => root.raw.equals(subject.raw))) return true;
    if (roots.some((root) => issued(root, subject) && isWithinValidity(root, nowSeconds))) return true;
    current = intermediates.find(
      (candidate) =>
        !candidate.raw.equals(subject.raw) && issued(candidate, subject) && isWithinValidity(candidate, nowSeconds),
    );
  }
  return false;
}

/**
 * The organisation number of an enterprise certificate: `organizationIdentifier` (OID 2.5.4.97, SEID 2.0) as
 * `NTRNO-` and nine digits, else `serialNumber` (OID 2.5.4.5, SEID 1) as nine digits. Names are read attribute by
 * attribute, because the subject as one text can be made to say anything.
 */
export function organisationNumberOf(certificate: X509Certificate): string | undefined {
  const subject: Readonly<Record<string, unknown>> = { ...certificate.toLegacyObject().subject };
  const modern = subject['organizationIdentifier'];
  if (modern !== undefined) return typeof modern === 'string' ? /^NTRNO-(\d{9})$/.exec(modern)?.[1] : undefined;
  const older = subject['serialNumber'];
  return typeof older === 'string' ? /^\d{9}$/.exec(older)?.[0] : undefined;
}
