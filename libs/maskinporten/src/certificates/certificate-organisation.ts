import type { X509Certificate } from 'node:crypto';
import { distinguishedName } from './distinguished-name.js';

/** Who a certificate was issued to, as its subject says. */
export interface CertificateHolder {
  /** `NTRNO` for a Norwegian organisation; other prefixes of ETSI EN 319 412-1 for foreign ones. */
  readonly scheme: string;
  /** Two letters of the country for foreign schemes. */
  readonly country?: string;
  readonly id: string;
}

/** 2.5.4.97 under the names OpenSSL has for it, then its number for an OpenSSL that has none. */
const ORGANISATION_IDENTIFIER = ['organizationIdentifier', '2.5.4.97'] as const;
const SERIAL_NUMBER = ['serialNumber', '2.5.4.5'] as const;

/** ETSI EN 319 412-1 §5.1.4: three letters, country, hyphen, identifier. SEID 2.0 writes `NTRNO-`. */
const IDENTIFIER = /^([A-Z]{3})([A-Z]{2})-([0-9A-Za-z.]{1,32})$/;
const NINE_DIGITS = /^\d{9}$/;

/**
 * Reads the holder from organizationIdentifier (SEID 2.0), else a nine-digit serialNumber (SEID 1.0). The subject is
 * taken apart by OID: a number planted in the common name is not found. Undefined when it has none, or two.
 */
export function certificateHolder(certificate: X509Certificate): CertificateHolder | undefined {
  const identifiers = valuesOf(certificate, ORGANISATION_IDENTIFIER);
  if (identifiers.length > 1) return undefined;
  const [identifier] = identifiers;
  if (identifier !== undefined) return parseIdentifier(identifier);
  const [serial, second] = valuesOf(certificate, SERIAL_NUMBER);
  if (serial === undefined || second !== undefined || !isOrganisationNumber(serial)) return undefined;
  return { scheme: 'NTRNO', id: serial };
}

/** The holder's Norwegian organisation number, when it is one and its check digit is right. */
export function certificateOrganisation(certificate: X509Certificate): string | undefined {
  const holder = certificateHolder(certificate);
  return holder?.scheme === 'NTRNO' ? holder.id : undefined;
}

function parseIdentifier(value: string): CertificateHolder | undefined {
  const [, scheme, country, id] = IDENTIFIER.exec(value) ?? [];
  if (scheme === undefined || country === undefined || id === undefined) return undefined;
  if (scheme === 'NTR' && country === 'NO') {
    return isOrganisationNumber(id) ? { scheme: 'NTRNO', id } : undefined;
  }
  return { scheme, country, id };
}

function valuesOf(certificate: X509Certificate, names: readonly string[]): string[] {
  return names.flatMap((name) => distinguishedName(certificate, 'subject', name));
}

const WEIGHTS = [3, 2, 7, 6, 5, 4, 3, 2] as const;

/** Modulus 11; synthetic numbers of the test environments start with other digits than 8 and 9, so the first is free. */
function isOrganisationNumber(value: string): boolean {
  if (!NINE_DIGITS.test(value)) return false;
  const sum = WEIGHTS.reduce((total, weight, index) => total + weight * Number(value[index]), 0);
  const check = (11 - (sum % 11)) % 11;
  return check === Number(value[8]);
}
