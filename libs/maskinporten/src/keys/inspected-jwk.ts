import { createPublicKey, type JsonWebKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { isRecord } from '../basics/index.js';
import { parseCertificate } from './certificate-chain.js';
import type { FoundKey } from './found-key.js';
import { KeyFailure } from './key-failure.js';
import { readPrivateJwk } from './private-jwk.js';

/** Reads one JWK, public or private, of any kind but symmetric. */
export function inspectJwk(
  jwk: unknown,
  member: string,
): { readonly key: FoundKey; readonly certificates: readonly X509Certificate[] } {
  if (!isRecord(jwk)) throw new KeyFailure(member, 'is not a JSON object');
  if (jwk['kty'] === 'oct')
    throw new KeyFailure(member, 'is a symmetric key (kty oct): Maskinporten takes RSA keys only');
  const isPrivate = jwk['d'] !== undefined;
  const { problem, certificates } = isPrivate ? tryPrivate(jwk, member) : { problem: undefined, certificates: [] };
  const { kid, alg, use } = jwk;
  return {
    key: {
      publicKey: publicHalf(jwk, member),
      isPrivate,
      jwk: {
        ...(typeof kid === 'string' ? { kid: printable(kid) } : {}),
        ...(typeof alg === 'string' ? { alg: printable(alg) } : {}),
        ...(typeof use === 'string' ? { use: printable(use) } : {}),
      },
      ...(problem === undefined ? {} : { problem }),
    },
    certificates: isPrivate ? certificates : x5cOf(jwk, member),
  };
}

function tryPrivate(
  jwk: Readonly<Record<string, unknown>>,
  member: string,
): { problem: string | undefined; certificates: readonly X509Certificate[] } {
  try {
    return { problem: undefined, certificates: readPrivateJwk(jwk, member).certificates };
  } catch (error) {
    if (!(error instanceof KeyFailure)) throw error;
    return { problem: `${error.member} ${error.message}`, certificates: [] };
  }
}

function publicHalf(jwk: Readonly<Record<string, unknown>>, member: string): KeyObject {
  const key: JsonWebKey = {};
  for (const name of ['kty', 'n', 'e', 'crv', 'x', 'y'] as const) {
    const value = jwk[name];
    if (typeof value === 'string') key[name] = value;
  }
  try {
    return createPublicKey({ key, format: 'jwk' });
  } catch {
    throw new KeyFailure(member, 'is not a JWK that OpenSSL can read: its public members are missing or damaged');
  }
}

function x5cOf(jwk: Readonly<Record<string, unknown>>, member: string): X509Certificate[] {
  const x5c: unknown = jwk['x5c'];
  if (!Array.isArray(x5c)) return [];
  return x5c.map((entry: unknown) => parseCertificate(Buffer.from(String(entry), 'base64'), `${member}.x5c`));
}

/** It is shown in terminals, where control characters would act. */
const printable = (text: string): string => text.slice(0, 128).replaceAll(/[^\x20-\x7e]/g, '?');
