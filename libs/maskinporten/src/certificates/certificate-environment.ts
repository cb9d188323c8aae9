import type { X509Certificate } from 'node:crypto';
import { distinguishedName } from './distinguished-name.js';

/** Names of the authorities that issue Norwegian enterprise certificates (Digdir, enterprise certificates). */
const AUTHORITY = /^(?:Buypass Class 3|Commfides) /;
/** `Buypass Class 3 Test4 CA G2 ST Business`, `Commfides Legal Person - G3 - TEST`. */
const TEST = /(?: Test\d* | - TEST$)/i;

/**
 * Whether a chain comes from the test or the production branch of a Norwegian issuer, by the common names of those who
 * issued it. Undefined for everybody else: a European seal is the same in both environments.
 */
export function certificateEnvironment(chain: readonly X509Certificate[]): 'test' | 'prod' | undefined {
  const issuers = chain.map(issuerName).filter((name) => name !== undefined && AUTHORITY.test(name));
  if (issuers.length === 0) return undefined;
  return issuers.some((name) => name !== undefined && TEST.test(name)) ? 'test' : 'prod';
}

function issuerName(certificate: X509Certificate): string | undefined {
  const [name, second] = distinguishedName(certificate, 'issuer', 'CN');
  return second === undefined ? name : undefined;
}
