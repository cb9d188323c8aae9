import { createPublicKey, KeyObject, type X509Certificate } from 'node:crypto';
import { readCertificates } from './certificate-chain.js';
import { readKeyFile } from './key-file.js';
import { keyFacts } from './key-facts.js';
import { KeyFailure } from './key-failure.js';
import { checkKid } from './key-id.js';
import { readKeyMaterial, type KeyMaterial } from './key-material.js';
import type {
  FileKeySource,
  JwkKeySource,
  KeySource,
  MaskinportenSigner,
  PemKeySource,
  Pkcs12KeySource,
} from './key-source.js';
import type { KeyWarningListener } from './key-warning.js';
import { localSigningKey } from './local-signing-key.js';
import { readPrivateJwk } from './private-jwk.js';
import { checkRsa } from './private-key.js';
import { RemoteSigningKey } from './remote-signing-key.js';
import { SecretBytes } from './secret-bytes.js';
import { isSigningAlgorithm, type SigningKey } from './signing-key.js';

export interface LoadKeyOptions {
  /** What failures call the source: `failures[].field` becomes `key.pem`, `key[1].kid` … Default `key`. */
  readonly field?: string;
  /** Refuse a key file that others may read, instead of warning. Default false. */
  readonly strictFilePermissions?: boolean;
  /** Longest wait for one signature of a remote signer, in milliseconds. Default 3000. */
  readonly signerTimeoutMs?: number;
  /** Wall clock in milliseconds, for the validity of certificates. */
  readonly now?: () => number;
  readonly onWarning?: KeyWarningListener;
}

interface Loading extends Required<LoadKeyOptions> {
  readonly secrets: SecretBytes;
}

/** Sizes below this work and get a notice; ASVS 11.2.3 and the Norwegian authorities use 3072. */
const RECOMMENDED_BITS = 3072;

/**
 * Reads a private key from any `KeySource` and makes it ready to sign. Nothing of the key material stays in buffers or
 * strings of this module: it ends in a non-extractable key.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) with one entry in `failures`; its text never quotes what was read.
 * @throws SigningCredentialError (`MP_CERTIFICATE_EXPIRED`, `MP_CERTIFICATE`) for a certificate out of its time.
 *
 * @example const key = await loadSigningKey({ file: '/run/secrets/maskinporten.pem', kid: 'my-kid' });
 */
export async function loadSigningKey(source: KeySource, options: LoadKeyOptions = {}): Promise<SigningKey> {
  const secrets = new SecretBytes();
  const loading: Loading = {
    field: options.field ?? 'key',
    strictFilePermissions: options.strictFilePermissions ?? false,
    signerTimeoutMs: options.signerTimeoutMs ?? 3000,
    now: options.now ?? Date.now,
    onWarning: options.onWarning ?? (() => {}),
    secrets,
  };
  try {
    return await load(own(source), loading);
  } catch (error) {
    throw error instanceof KeyFailure ? error.toError(loading.field) : error;
  } finally {
    secrets.wipe();
  }
}

/** A copy without a prototype: what a polluted one adds – a passphrase, a chain – is not configuration. */
function own(source: KeySource): KeySource {
  if (typeof source !== 'object' || source === null) throw new KeyFailure('', NO_SOURCE);
  const nothing: object = Object.create(null);
  return Object.assign(nothing, source);
}

const KINDS = ['pem', 'jwk', 'pkcs12', 'file', 'signer'] as const;
const NO_SOURCE = 'must be one of pem, jwk, pkcs12, file or signer';

function load(source: KeySource, loading: Loading): Promise<SigningKey> {
  const given = KINDS.filter((kind) =>
    Object.entries(source).some(([name, value]) => name === kind && value !== undefined),
  );
  if (given.length > 1) throw new KeyFailure('', `must be one of ${KINDS.join(', ')}, not ${given.join(' and ')}`);
  const [kind] = given;
  if (kind === 'pem' && 'pem' in source) return loadPem(source, loading);
  if (kind === 'jwk' && 'jwk' in source) return loadJwk(source, loading);
  if (kind === 'file' && 'file' in source) return loadFile(source, loading);
  if (kind === 'signer' && 'signer' in source) return loadSigner(source.signer, source.registeredAt, loading);
  if (kind === 'pkcs12' && 'pkcs12' in source) return loadPkcs12(source, loading);
  throw new KeyFailure('', NO_SOURCE);
}

async function loadPem(source: PemKeySource, loading: Loading): Promise<SigningKey> {
  const { passphrase } = source;
  const bytes = bytesOf(source.pem, 'pem', loading.secrets);
  const { kid } = source;
  const material = await readKeyMaterial(bytes, { passphrase, kid, member: 'pem', secrets: loading.secrets });
  const chain =
    source.certificateChain === undefined
      ? { certificates: material.certificates, certificateMember: 'pem' }
      : {
          certificates: readCertificates(source.certificateChain, 'certificateChain', loading.secrets),
          certificateMember: 'certificateChain',
        };
  return localKey(source, { ...material, ...chain }, 'pem', loading);
}

async function loadJwk(source: JwkKeySource, loading: Loading): Promise<SigningKey> {
  const { jwk } = source;
  const material =
    typeof jwk === 'string'
      ? await readKeyMaterial(bytesOf(jwk, 'jwk', loading.secrets), { member: 'jwk', secrets: loading.secrets })
      : readPrivateJwk(jwk, 'jwk');
  return localKey(source, { ...material, certificateMember: 'jwk.x5c' }, 'jwk', loading);
}

async function loadPkcs12(source: Pkcs12KeySource, loading: Loading): Promise<SigningKey> {
  const { passphrase, kid } = source;
  const bytes = bytesOf(source.pkcs12, 'pkcs12', loading.secrets);
  const options = { passphrase, kid, pkcs12: source, member: 'pkcs12', secrets: loading.secrets };
  const material = await readKeyMaterial(bytes, options);
  return localKey(source, { ...material, certificateMember: 'pkcs12' }, 'pkcs12', loading);
}

async function loadFile(source: FileKeySource, loading: Loading): Promise<SigningKey> {
  const { passphrase } = source;
  if (typeof source.file !== 'string' || source.file === '') throw new KeyFailure('file', 'must be a path');
  const { bytes, readableByOthers } = await readKeyFile(source.file, 'file');
  loading.secrets.own(bytes);
  if (readableByOthers) reportPermissions(loading);
  const { kid } = source;
  const material = await readKeyMaterial(bytes, {
    passphrase,
    kid,
    pkcs12: source,
    member: 'file',
    secrets: loading.secrets,
  });
  if (source.certificateFile === undefined) {
    return localKey(source, { ...material, certificateMember: 'file' }, 'file', loading);
  }
  const chain = await readKeyFile(source.certificateFile, 'certificateFile');
  const certificates = readCertificates(chain.bytes, 'certificateFile', loading.secrets);
  return localKey(source, { ...material, certificates, certificateMember: 'certificateFile' }, 'file', loading);
}

function reportPermissions(loading: Loading): void {
  const reason = 'can be read by its group or by everybody: set its mode to 0400';
  if (loading.strictFilePermissions) throw new KeyFailure('file', reason);
  loading.onWarning({
    code: 'file-readable-by-others',
    field: `${loading.field}.file`,
    message: `The key file ${reason}.`,
  });
}

async function localKey(
  source: { readonly kid?: string; readonly registeredAt?: Date | string },
  material: KeyMaterial & { readonly certificateMember: string },
  member: string,
  loading: Loading,
): Promise<SigningKey> {
  const { field, secrets, onWarning } = loading;
  const bits = checkRsa(material.privateKey, member);
  if (material.repaired !== undefined) {
    onWarning({ code: 'text-repaired', field: `${field}.${member}`, message: `In the key ${material.repaired}.` });
  }
  const facts = await keyFacts({
    kid: source.kid === undefined ? material.kid : checkKid(source.kid, 'kid'),
    publicKey: createPublicKey(material.privateKey),
    certificates: material.certificates,
    registeredAt: registrationDate(source.registeredAt),
    certificateMember: material.certificateMember,
    field,
    nowMs: loading.now(),
    onWarning,
  });
  const key = await localSigningKey(material.privateKey, material.alg ?? 'RS256', facts, { member, secrets });
  if (bits < RECOMMENDED_BITS) {
    const message = `The key has ${bits} bits, which works; ${RECOMMENDED_BITS} are recommended for the next one.`;
    onWarning({ code: 'small-key', field: `${field}.${member}`, message });
  }
  return key;
}

async function loadSigner(
  signer: MaskinportenSigner,
  registeredAt: Date | string | undefined,
  loading: Loading,
): Promise<SigningKey> {
  if (typeof signer !== 'object' || signer === null || typeof signer.sign !== 'function') {
    throw new KeyFailure('signer', 'must be an object with a sign method');
  }
  const alg = signer.alg ?? 'RS256';
  if (!isSigningAlgorithm(alg)) throw new KeyFailure('signer.alg', 'is not RS256, RS384 or RS512');
  const certificates =
    signer.certificateChain === undefined
      ? []
      : readCertificates(signer.certificateChain, 'signer.certificateChain', loading.secrets);
  const publicKey = publicKeyOf(signer, certificates);
  if (publicKey !== undefined) checkRsa(publicKey, 'signer.publicKey');
  const kid = signer.kid === undefined ? undefined : checkKid(signer.kid, 'signer.kid');
  if (kid === undefined && certificates.length === 0) {
    throw new KeyFailure('signer.kid', 'is missing: a signer needs a kid or a certificateChain');
  }
  const facts = await keyFacts({
    kid,
    publicKey,
    certificates,
    registeredAt: registrationDate(registeredAt),
    certificateMember: 'signer.certificateChain',
    field: loading.field,
    nowMs: loading.now(),
    onWarning: loading.onWarning,
  });
  const field = `${loading.field}.signer`;
  return new RemoteSigningKey(signer, alg, facts, { timeoutMs: loading.signerTimeoutMs, field });
}

/** Without a public key of its own, the signer is taken to hold the key of the first certificate. */
function publicKeyOf(signer: MaskinportenSigner, certificates: readonly X509Certificate[]): KeyObject | undefined {
  const { publicKey } = signer;
  if (publicKey === undefined) return certificates[0]?.publicKey;
  if (publicKey instanceof KeyObject) {
    if (publicKey.type === 'public') return publicKey;
    throw new KeyFailure('signer.publicKey', 'is not a public key');
  }
  try {
    return createPublicKey(publicKey);
  } catch {
    throw new KeyFailure('signer.publicKey', 'is not a public key in PEM form');
  }
}

function bytesOf(input: unknown, member: string, secrets: SecretBytes): Buffer {
  if (typeof input === 'string') return secrets.copyOf(input);
  if (input instanceof Uint8Array) return Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  throw new KeyFailure(member, 'must be a string or a Buffer');
}

const ISO_DATE = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]{5,15}(?:Z|[+-]\d{2}:?\d{2})?)?$/;

function registrationDate(value: Date | string | undefined): Date | undefined {
  if (value === undefined) return undefined;
  const date = value instanceof Date ? new Date(value) : ISO_DATE.test(value) ? new Date(value) : new Date(Number.NaN);
  if (Number.isNaN(date.getTime())) throw new KeyFailure('registeredAt', 'must be an ISO date such as 2026-01-31');
  return date;
}
