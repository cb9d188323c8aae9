import { createPublicKey } from 'node:crypto';
import { ownMembers, withoutLineBreak } from '../basics/index.js';
import { readCertificates } from './certificate-chain.js';
import { datesOf } from './key-dates.js';
import { readKeyFileSource, type KeyFileSourceContent } from './key-file-source.js';
import { pollMsOf } from './key-file-watch.js';
import { keyFacts } from './key-facts.js';
import { KeyFailure } from './key-failure.js';
import { checkKid } from './key-id.js';
import { readKeyMaterial, type KeyMaterial } from './key-material.js';
import type { FileKeySource, JwkKeySource, KeyDates, KeySource, PemKeySource, Pkcs12KeySource } from './key-source.js';
import type { Loading, LoadKeyOptions } from './load-key-options.js';
import { loadSigner } from './load-signer.js';
import { localSigningKey } from './local-signing-key.js';
import { readPrivateJwk } from './private-jwk.js';
import { checkRsa } from './private-key.js';
import { SecretBytes } from './secret-bytes.js';
import type { SigningKey } from './signing-key.js';

/** A key, and the digest of the files it came from when it came from files. */
export interface LoadedKey {
  readonly key: SigningKey;
  readonly digest?: string;
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
  return (await loadKey(source, options)).key;
}

/** `loadSigningKey` for those who look at the files again later; `content` is what they have read already. */
export async function loadKey(
  source: KeySource,
  options: LoadKeyOptions = {},
  content?: KeyFileSourceContent,
): Promise<LoadedKey> {
  const secrets = new SecretBytes();
  const loading: Loading = {
    field: options.field ?? 'key',
    strictFilePermissions: options.strictFilePermissions ?? false,
    signerTimeoutMs: options.signerTimeoutMs ?? 3000,
    environment: options.environment,
    now: options.now ?? Date.now,
    onWarning: options.onWarning ?? (() => {}),
    secrets,
  };
  try {
    const members = own(source);
    if (!('file' in members) || members.file === undefined) return { key: await load(members, loading) };
    // Also refuses a source of two kinds.
    kindOf(members);
    pollMsOf(members);
    const read = content ?? (await readKeyFileSource(members, secrets));
    return { key: await loadFile(members, read, loading), digest: read.digest };
  } catch (error) {
    throw error instanceof KeyFailure ? error.toError(loading.field) : error;
  } finally {
    secrets.wipe();
  }
}

/** A copy without a prototype: what a polluted one adds – a passphrase, a chain – is not configuration. */
function own(source: KeySource): KeySource {
  if (typeof source !== 'object' || source === null) throw new KeyFailure('', NO_SOURCE);
  const members: { passphrase?: unknown } & KeySource = ownMembers(source);
  // The line break that a mounted file ends with is not part of the passphrase.
  if (typeof members.passphrase === 'string') members.passphrase = withoutLineBreak(members.passphrase);
  return members;
}

const KINDS = ['pem', 'jwk', 'pkcs12', 'file', 'signer'] as const;
const NO_SOURCE = 'must be one of pem, jwk, pkcs12, file or signer';

function kindOf(source: KeySource): (typeof KINDS)[number] | undefined {
  const given = KINDS.filter((kind) =>
    Object.entries(source).some(([name, value]) => name === kind && value !== undefined),
  );
  if (given.length > 1) throw new KeyFailure('', `must be one of ${KINDS.join(', ')}, not ${given.join(' and ')}`);
  return given[0];
}

async function load(source: KeySource, loading: Loading): Promise<SigningKey> {
  const kind = kindOf(source);
  if (kind === 'pem' && 'pem' in source) return loadPem(source, loading);
  if (kind === 'jwk' && 'jwk' in source) return loadJwk(source, loading);
  if (kind === 'pkcs12' && 'pkcs12' in source) return loadPkcs12(source, loading);
  if (kind === 'signer' && 'signer' in source) return loadSigner(source.signer, source, loading);
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
  const { jwk, kid } = source;
  const { secrets } = loading;
  const material =
    typeof jwk === 'string'
      ? await readKeyMaterial(bytesOf(jwk, 'jwk', secrets), { kid, member: 'jwk', secrets })
      : readPrivateJwk(jwk, 'jwk', kid);
  return localKey(source, { ...material, certificateMember: 'jwk.x5c' }, 'jwk', loading);
}

async function loadPkcs12(source: Pkcs12KeySource, loading: Loading): Promise<SigningKey> {
  const { passphrase, kid } = source;
  const bytes = bytesOf(source.pkcs12, 'pkcs12', loading.secrets);
  const options = { passphrase, kid, pkcs12: source, member: 'pkcs12', secrets: loading.secrets };
  const material = await readKeyMaterial(bytes, options);
  return localKey(source, { ...material, certificateMember: 'pkcs12' }, 'pkcs12', loading);
}

async function loadFile(
  source: FileKeySource,
  { key, certificates: chain }: KeyFileSourceContent,
  loading: Loading,
): Promise<SigningKey> {
  const { passphrase, kid } = source;
  const { secrets } = loading;
  if (key.readableByOthers) reportPermissions(loading);
  const material = await readKeyMaterial(key.bytes, { passphrase, kid, pkcs12: source, member: 'file', secrets });
  if (chain === undefined) return localKey(source, { ...material, certificateMember: 'file' }, 'file', loading);
  const certificates = readCertificates(chain, 'certificateFile', secrets);
  return localKey(source, { ...material, certificates, certificateMember: 'certificateFile' }, 'file', loading);
}

function reportPermissions(loading: Loading): void {
  const reason = 'can be read by everybody on the machine: set its mode to 0400, or 0440 for a group of its own';
  if (loading.strictFilePermissions) throw new KeyFailure('file', reason);
  loading.onWarning({
    code: 'file-readable-by-others',
    field: `${loading.field}.file`,
    message: `The key file ${reason}.`,
  });
}

async function localKey(
  source: KeyDates & { readonly kid?: string },
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
    ...datesOf(source),
    certificateMember: material.certificateMember,
    field,
    issuerEnvironment: loading.environment,
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

function bytesOf(input: unknown, member: string, secrets: SecretBytes): Buffer {
  if (typeof input === 'string') return secrets.copyOf(input);
  if (input instanceof Uint8Array) return Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  throw new KeyFailure(member, 'must be a string or a Buffer');
}
