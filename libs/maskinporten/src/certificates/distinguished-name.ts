import type { X509Certificate } from 'node:crypto';
// Not for its exports: `toLegacyObject()` in a process that has not loaded this module leaves it without
// `createSecureContext`, and every TLS connection of the process fails from then on (Node 20 to 24).
import 'node:tls';

/**
 * The values of an attribute in a certificate's subject or issuer, taken apart by OID. The name as one text can be made
 * to say anything.
 */
export function distinguishedName(
  certificate: X509Certificate,
  whose: 'subject' | 'issuer',
  attribute: string,
): readonly string[] {
  // Node leaves a name out, against its declaration, when it is in no encoding that OpenSSL knows.
  const name: object | undefined = certificate.toLegacyObject()[whose];
  const value: unknown = name && Object.getOwnPropertyDescriptor(name, attribute)?.value;
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((entry) => typeof entry === 'string');
}
