import type { X509Certificate, KeyObject } from 'node:crypto';
import { isRecord } from '../kernel/index.js';
import type { Client } from './clients.js';

/** The key that must have signed, and where it came from. */
export interface VerificationKey {
  readonly kid: string | undefined;
  readonly publicKey: KeyObject;
  readonly certificate: X509Certificate | undefined;
  /** `client_amr` of the token. */
  readonly authenticationMethod: 'private_key_jwt' | 'virksomhetssertifikat';
}

/** A decoded assertion with the facts that the checks have established about it so far. */
export interface Grant {
  readonly assertion: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** One clock read for all checks, seconds with a fraction. */
  readonly nowSeconds: number;
  client?: Client;
  key?: VerificationKey;
  chain?: readonly X509Certificate[];
  scopes?: readonly string[];
  resources?: readonly string[];
  /** Entry of the token's `authorization_details`. */
  details?: Readonly<Record<string, unknown>>;
}

/** One text for each value: no padding, no foreign characters, no stray bits in the last one (RFC 4648 §3.5). */
function isCanonical(segment: string): boolean {
  return segment !== '' && Buffer.from(segment, 'base64url').toString('base64url') === segment;
}

function decodeSegment(segment: string): Readonly<Record<string, unknown>> | undefined {
  if (!isCanonical(segment)) return undefined;
  try {
    const bytes = Buffer.from(segment, 'base64url');
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Splits and decodes a JWS in compact form (RFC 7515 §3.1); `undefined` when it is none. Nothing is verified yet. */
export function decodeGrant(assertion: string, nowSeconds: number): Grant | undefined {
  const [head, body, signature, ...rest] = assertion.split('.');
  if (head === undefined || body === undefined || signature === undefined || rest.length > 0) return undefined;
  // `alg: none` comes with an empty signature; it is well formed, and refused for its algorithm.
  if (signature !== '' && !isCanonical(signature)) return undefined;
  const header = decodeSegment(head);
  const claims = decodeSegment(body);
  return header && claims ? { assertion, header, claims, nowSeconds } : undefined;
}
