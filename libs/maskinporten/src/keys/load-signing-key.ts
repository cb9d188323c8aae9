import { createPublicKey } from 'node:crypto';
import { ownMembers, withoutLineBreak } from '../basics/index.js';
import {
  readCertificates,
  KeyFailure,
  checkKid,
  readKeyBundle,
  jwkBundle,
  chooseKey,
  type KeyBundle,
  checkRsa,
  SecretBytes,
} from '../key-files/index.js';
import { datesOf, type Loading, type LoadKeyOptions } from './load-key-options.js';
import { readKeyFileSource, type KeyFileSourceContent } from './key-file-source.js';
import { pollMsOf } from './key-file-watch.js';
import { keyFacts } from './key-facts.js';
import type {
  FileKeySource,
  JwkKeySource,
  KeyDates,
  KeySource,
  PemKeySource,
  Pkcs12KeyOptions,
  Pkcs12KeySource,
} from './key-source.js';
import { loadSigner } from './load-signer.js';
import { localSigningKey } from './local-signing-key.js';
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
  if (typeof source !== 'object' || source === null) throw new KeyFailure('', NO_SOURCE, 'source');
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
  if (given.length > 1)
    throw new KeyFailure('', `must be one of ${KINDS.join(', ')}, not ${given.join(' and ')}`, 'source');
  return given[0];
}

async function load(source: KeySource, loading: Loading): Promise<SigningKey> {
  const kind = kindOf(source);
  if (kind === 'pem' && 'pem' in source) return loadPem(source, loading);
  if (kind === 'jwk' && 'jwk' in source) return loadJwk(source, loading);
  if (kind === 'pkcs12' && 'pkcs12' in source) return loadPkcs12(source, loading);
  if (kind === 'signer' && 'signer' in source) return loadSigner(source.signer, source, loading);
  throw new KeyFailure('', NO_SOURCE, 'source');
}

async function loadPem(
  { pem, passphrase, certificateChain, ...source }: PemKeySource,
  loading: Loading,
): Promise<SigningKey> {
  const { secrets } = loading;
  const bundle = await readKeyBundle(bytesOf(pem, 'pem', secrets), { passphrase, member: 'pem', secrets });
  const chain = certificateChain === undefined ? undefined : { text: certificateChain, member: 'certificateChain' };
  return localKey(source, bundle, { member: 'pem', chain }, loading);
}

async function loadJwk({ jwk, ...source }: JwkKeySource, loading: Loading): Promise<SigningKey> {
  const { secrets } = loading;
  const bundle =
    typeof jwk === 'string'
      ? await readKeyBundle(bytesOf(jwk, 'jwk', secrets), { member: 'jwk', secrets })
      : jwkBundle(jwk, 'jwk');
  return localKey(source, bundle, { member: 'jwk', certificateMember: 'jwk.x5c' }, loading);
}

async function loadPkcs12({ pkcs12, passphrase, ...source }: Pkcs12KeySource, loading: Loading): Promise<SigningKey> {
  const { secrets } = loading;
  const { allowMissingMac } = source;
  const bytes = bytesOf(pkcs12, 'pkcs12', secrets);
  const bundle = await readKeyBundle(bytes, { passphrase, allowMissingMac, member: 'pkcs12', secrets });
  return localKey(source, bundle, { member: 'pkcs12' }, loading);
}

async function loadFile(
  { passphrase, ...source }: FileKeySource,
  { key, certificates }: KeyFileSourceContent,
  loading: Loading,
): Promise<SigningKey> {
  const { secrets } = loading;
  const { allowMissingMac } = source;
  if (key.readableByOthers) reportPermissions(loading);
  const bundle = await readKeyBundle(key.bytes, { passphrase, allowMissingMac, member: 'file', secrets });
  const chain = certificates === undefined ? undefined : { text: certificates, member: 'certificateFile' };
  return localKey(source, bundle, { member: 'file', chain }, loading);
}

function reportPermissions(loading: Loading): void {
  const reason = 'can be read by everybody on the machine: set its mode to 0400, or 0440 for a group of its own';
  if (loading.strictFilePermissions) throw new KeyFailure('file', reason, 'file');
  loading.onWarning({
    code: 'file-readable-by-others',
    field: `${loading.field}.file`,
    message: `The key file ${reason}.`,
  });
}

/** How failures name where key and certificates were read. */
interface Origin {
  readonly member: string;
  /** Default: `member`. */
  readonly certificateMember?: string;
  /** Certificates from elsewhere, which take the place of those beside the key. */
  readonly chain?: { readonly text: string | Buffer; readonly member: string } | undefined;
}

async function localKey(
  source: KeyDates & Pkcs12KeyOptions & { readonly kid?: string },
  bundle: KeyBundle,
  { member, chain, certificateMember = chain?.member ?? member }: Origin,
  loading: Loading,
): Promise<SigningKey> {
  const { field, secrets, onWarning } = loading;
  const { kid, certificateFingerprint } = source;
  const material = await chooseKey(bundle, { kid, certificateFingerprint, member });
  const certificates =
    chain === undefined ? material.certificates : readCertificates(chain.text, chain.member, secrets);
  const bits = checkRsa(material.privateKey, member);
  if (bundle.repaired) {
    const message = 'The line breaks of the PEM were damaged; they were repaired while it was read.';
    onWarning({ code: 'text-repaired', field: `${field}.${member}`, message });
  }
  const facts = await keyFacts({
    kid: kid === undefined ? material.kid : checkKid(kid, 'kid'),
    publicKey: createPublicKey(material.privateKey),
    certificates,
    ...datesOf(source),
    certificateMember,
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
  throw new KeyFailure(member, 'must be a string or a Buffer', 'source');
}
