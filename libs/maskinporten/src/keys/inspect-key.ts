import type { X509Certificate } from 'node:crypto';
import { withoutLineBreak } from '../basics/index.js';
import { orderChain, readCertificates } from './certificate-chain.js';
import type { CertificateUsage } from './certificate-usage.js';
import type { FoundKey } from './found-key.js';
import { readInspectedContent, type FoundContent } from './inspected-content.js';
import { jwkThumbprint } from './key-facts.js';
import { KeyFailure } from './key-failure.js';
import { readKeyFile } from './key-file.js';
import { MAX_KEY_BYTES } from './key-material.js';
import { SecretBytes } from './secret-bytes.js';

/** One key of a file, without anything secret. */
export interface InspectedKey extends FoundKey {
  /** RFC 7638; RSA keys only. */
  readonly thumbprint?: string;
  /** Its certificate and the issuers of that, leaf first; empty when there is none for this key. */
  readonly chain: readonly X509Certificate[];
  /** What the certificate was issued for. */
  readonly usage?: CertificateUsage;
}

/** What a file with keys or certificates holds. */
export interface KeyInspection extends Omit<FoundContent, 'keys'> {
  readonly keys: readonly InspectedKey[];
}

export interface InspectKeyOptions {
  readonly passphrase?: string | undefined;
  /** PEM certificates that belong to the key and are kept in another file. */
  readonly certificates?: Buffer | undefined;
  /** What failures call it. Default `file`. */
  readonly member?: string;
}

/**
 * Tells what `bytes` hold, of whatever form a key or certificate comes in, without judging whether it would do. Nothing
 * of a private key is kept.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) with the reason when it cannot be read.
 */
export async function inspectKey(bytes: Buffer, options: InspectKeyOptions = {}): Promise<KeyInspection> {
  const { member = 'file', passphrase, certificates: more } = options;
  const secrets = new SecretBytes();
  try {
    if (bytes.length > MAX_KEY_BYTES) throw new KeyFailure(member, 'is larger than 1 MiB');
    const found = await readInspectedContent(bytes, {
      passphrase: passphrase && withoutLineBreak(passphrase),
      member,
      secrets,
    });
    const extra = more === undefined ? [] : readCertificates(more, 'certificateFile', secrets);
    const certificates = [...found.certificates, ...extra];
    const keys = found.keys.length > 0 ? found.keys : leavesOf(certificates);
    if (keys.length === 0) throw new KeyFailure(member, nothingIn(found.labels));
    return { ...found, certificates, keys: await Promise.all(keys.map(async (key) => complete(key, certificates))) };
  } catch (error) {
    throw error instanceof KeyFailure ? error.toError('key') : error;
  } finally {
    secrets.wipe();
  }
}

/**
 * Reads a key file as it is loaded by the library: size and permissions are looked at too. The caller wipes `bytes`.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) with the path and the reason.
 */
export async function readInspectedFile(path: string): Promise<{ bytes: Buffer; readableByOthers: boolean }> {
  try {
    return await readKeyFile(path, 'file');
  } catch (error) {
    throw error instanceof KeyFailure ? error.toError('key') : error;
  }
}

/** A file with certificates only is about those that have issued no other one in it. */
function leavesOf(certificates: readonly X509Certificate[]): readonly FoundKey[] {
  return certificates
    .filter((one) => !certificates.some((other) => other !== one && other.checkIssued(one)))
    .map(({ publicKey }) => ({ publicKey, isPrivate: false }));
}

async function complete(key: FoundKey, certificates: readonly X509Certificate[]): Promise<InspectedKey> {
  const own = certificates.some((certificate) => certificate.publicKey.equals(key.publicKey));
  const chain = own ? orderChain(certificates, key.publicKey, 'file') : [];
  const [leaf] = chain;
  return {
    ...key,
    ...(key.publicKey.asymmetricKeyType === 'rsa' ? { thumbprint: await jwkThumbprint(key.publicKey) } : {}),
    chain,
    ...(leaf === undefined ? {} : { usage: await usageOf(leaf) }),
  };
}

function nothingIn(labels: readonly string[]): string {
  const names = [...new Set(labels)].filter((label) => /^[A-Z0-9 ]{1,32}$/.test(label));
  return names.length === 0
    ? 'holds neither a key nor a certificate'
    : `holds neither a key nor a certificate, but ${names.join(', ')}`;
}

/** Loaded when it is met: it brings the ASN.1 library. */
async function usageOf(leaf: X509Certificate): Promise<CertificateUsage> {
  const { certificateUsage } = await import('./certificate-usage.js');
  return certificateUsage(leaf);
}
