import type { X509Certificate } from 'node:crypto';
import {
  Certificate,
  CertificatePolicies,
  id_ce_certificatePolicies,
  id_ce_keyUsage,
  KeyUsage,
  KeyUsageFlags,
} from '@peculiar/asn1-x509';
import { readAsn1 } from './asn1.js';
import { KeyFailure } from './key-failure.js';

/** Commfides puts the purpose into the policy: `.210` is authentication; `.913` is its test branch (Digdir, enterprise certificates). */
const AUTHENTICATION_POLICIES = ['2.16.578.1.29.13.210.', '2.16.578.1.29.913.210.'] as const;

export interface CertificateUsage {
  /** The key may make signatures that prove who is speaking; true as well when the certificate says nothing. */
  readonly signs: boolean;
  /** It is the certificate for authentication of a set that has others for signing and encryption. */
  readonly authenticates: boolean;
}

/** What a certificate was issued for, by its keyUsage and policies. Norwegian deliveries hold one for each purpose. */
export function certificateUsage(certificate: X509Certificate): CertificateUsage {
  const extensions = extensionsOf(certificate);
  const usage = extensions.get(id_ce_keyUsage);
  const policies = extensions.get(id_ce_certificatePolicies);
  const flags = usage === undefined ? undefined : readAsn1(usage, KeyUsage, '').toNumber();
  const named = policies === undefined ? [] : [...readAsn1(policies, CertificatePolicies, '')];
  const digitalSignature = flags === undefined || (flags & KeyUsageFlags.digitalSignature) !== 0;
  return {
    signs: digitalSignature,
    authenticates:
      named.some(({ policyIdentifier }) =>
        AUTHENTICATION_POLICIES.some((start) => `${policyIdentifier}.`.startsWith(start)),
      ) ||
      (flags !== undefined && digitalSignature && (flags & KeyUsageFlags.nonRepudiation) === 0),
  };
}

function extensionsOf(certificate: X509Certificate): ReadonlyMap<string, ArrayBuffer> {
  try {
    const { extensions = [] } = readAsn1(certificate.raw, Certificate, '').tbsCertificate;
    return new Map([...extensions].map(({ extnID, extnValue }) => [extnID, extnValue.buffer]));
  } catch (error) {
    if (error instanceof KeyFailure) return new Map();
    throw error;
  }
}
