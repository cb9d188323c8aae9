import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { withoutLineBreak } from '../basics/index.js';
import { orderChain } from '../certificates/index.js';
import {
  KeyFailure,
  SecretBytes,
  jwkThumbprint,
  readCertificates,
  readKeyBundle,
  readKeyFile,
  usageOf,
  type BundleKey,
  type CertificateUsage,
  type KeyBundle,
} from '../key-files/index.js';

/** A key as it was found, public half only. */
interface FoundKey {
  readonly publicKey: KeyObject;
  /** The file holds the private half too. */
  readonly isPrivate: boolean;
  /** Members of a JWK, as they stand there. */
  readonly jwk?: { readonly kid?: string; readonly alg?: string; readonly use?: string };
  /** Why it cannot be loaded as a signing key although it can be read. */
  readonly problem?: string;
}

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
export interface KeyInspection extends Omit<KeyBundle, 'keys'> {
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
    const bundle = await readKeyBundle(bytes, {
      passphrase: passphrase && withoutLineBreak(passphrase),
      member,
      secrets,
    });
    const found: FoundKey[] = [];
    const certificates = [...bundle.certificates];
    for (const bundled of bundle.keys) {
      const { key, chain } = await find(bundled);
      certificates.push(...chain);
      // A PKCS#12 file may hold one key several times; it is still one key.
      const isKnown = bundle.format === 'pkcs12' && found.some(({ publicKey }) => publicKey.equals(key.publicKey));
      if (!isKnown) found.push(key);
    }
    if (more !== undefined) certificates.push(...readCertificates(more, 'certificateFile', secrets));
    const keys = found.length > 0 ? found : leavesOf(certificates);
    if (keys.length === 0) throw new KeyFailure(member, nothingIn(bundle.labels));
    return { ...bundle, certificates, keys: await Promise.all(keys.map(async (key) => complete(key, certificates))) };
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

/** A key with its public half, and the certificates of a JWK. */
async function find({ isPrivate, jwk, publicHalf, open }: BundleKey): Promise<{
  readonly key: FoundKey;
  readonly chain: readonly X509Certificate[];
}> {
  if (jwk === undefined || publicHalf === undefined) {
    const { key } = await open();
    return { key: { publicKey: isPrivate ? createPublicKey(key) : key, isPrivate }, chain: [] };
  }
  const { kid, alg, use } = jwk;
  const members = {
    ...(typeof kid === 'string' ? { kid: printable(kid) } : {}),
    ...(typeof alg === 'string' ? { alg: printable(alg) } : {}),
    ...(typeof use === 'string' ? { use: printable(use) } : {}),
  };
  const key = { publicKey: publicHalf(), isPrivate, jwk: members };
  try {
    const { certificates = [] } = await open();
    return { key, chain: certificates };
  } catch (error) {
    if (!(error instanceof KeyFailure && isPrivate)) throw error;
    return { key: { ...key, problem: `${error.member} ${error.message}` }, chain: [] };
  }
}

/** It is shown in terminals, where control characters would act. */
const printable = (text: string): string => text.slice(0, 128).replaceAll(/[^\x20-\x7e]/g, '?');

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
