import type { X509Certificate } from 'node:crypto';
import { isWithinValidity } from '../certificates.js';
import { type RegisteredKey, parseCertificate } from '../client-keys.js';
import type { Grant } from '../grant.js';
import { type Refusal, invalidGrant, unauthenticated } from '../refusal.js';
import { type Rule, established } from './rule.js';

const STANDARD_BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** RFC 7515 §4.1.6: strings of base64 (not base64url) DER, the signer's certificate first. */
function readChain(x5c: unknown): readonly X509Certificate[] | undefined {
  if (!Array.isArray(x5c) || x5c.length === 0 || x5c.length > 8) return undefined;
  const entries: readonly unknown[] = x5c;
  const chain = entries.map((entry) => {
    // Line breaks are left out: the lenient decoders of Java do that, and a client in use depends on it (inferred).
    const base64 = typeof entry === 'string' ? entry.replaceAll(/[\r\n]/g, '') : '';
    return STANDARD_BASE64.test(base64) ? parseCertificate(Buffer.from(base64, 'base64')) : undefined;
  });
  return chain.every((certificate) => certificate !== undefined) ? chain : undefined;
}

function registeredKey(grant: Grant): RegisteredKey | Refusal {
  const client = established(grant.client);
  const { kid } = grant.header;
  const key = client.keys.find((candidate) => candidate.kid === kid);
  const known = key !== undefined && grant.nowSeconds >= key.knownFrom;
  return known ? key : unauthenticated('Unknown key identifier (kid) for client');
}

export const clientRules: readonly Rule[] = [
  {
    check: 'client.known',
    run: (grant, { clients }) => {
      const { iss } = grant.claims;
      const client = typeof iss === 'string' ? clients.get(iss) : undefined;
      if (client === undefined) return unauthenticated('Client not found', 'MP-100');
      // That an inactive client gets the same answer is inferred.
      if (!client.active) return unauthenticated('Client is not active', 'MP-100');
      grant.client = client;
      return `organisation ${client.orgno}`;
    },
  },
  {
    check: 'header.x5c',
    run: (grant) => {
      const { x5c } = grant.header;
      if (x5c === undefined) return undefined;
      const chain = readChain(x5c);
      if (chain === undefined) return unauthenticated('Invalid JWT header x5c', 'MP-123');
      grant.chain = chain;
      return `${chain.length} certificate(s)`;
    },
  },
  {
    check: 'key.known',
    needs: ['client.known', 'header.x5c'],
    // The matrix of Digdir, JWT grant.
    run: (grant) => {
      const client = established(grant.client);
      const [leaf] = grant.chain ?? [];
      if (grant.header['kid'] !== undefined) {
        const key = registeredKey(grant);
        if ('error' in key) return key;
        // A certificate beside a registered key must be that key's; which error it gives is inferred.
        if (leaf !== undefined && !leaf.publicKey.equals(key.publicKey)) {
          return unauthenticated('Invalid JWT header x5c', 'MP-123');
        }
        grant.key = {
          kid: key.kid,
          publicKey: key.publicKey,
          certificate: key.certificate,
          authenticationMethod: 'private_key_jwt',
        };
        return `kid ${key.kid}`;
      }
      if (client.keys.length > 0) {
        return invalidGrant('Invalid JWT. The client requires pre-registered jwk and no key identifier (kid) provided');
      }
      // A certificate client that sends neither: no text is documented.
      if (leaf === undefined) return unauthenticated('Invalid JWT header x5c', 'MP-123');
      grant.key = {
        kid: undefined,
        publicKey: leaf.publicKey,
        certificate: leaf,
        authenticationMethod: 'virksomhetssertifikat',
      };
      return `certificate ${leaf.serialNumber}`;
    },
  },
  {
    check: 'key.in_date',
    needs: ['key.known'],
    run: (grant) => {
      const { kid, certificate } = established(grant.key);
      const registered = kid === undefined ? undefined : grant.client?.keys.find((key) => key.kid === kid);
      if (registered !== undefined && registered.expiresAt <= grant.nowSeconds) {
        return unauthenticated('Expired key', 'MP-121');
      }
      // An expired certificate is reported as a signature error (Digdir, troubleshooting, MP-124).
      return certificate === undefined || isWithinValidity(certificate, grant.nowSeconds)
        ? undefined
        : unauthenticated('Invalid JWT signature', 'MP-124');
    },
  },
];
