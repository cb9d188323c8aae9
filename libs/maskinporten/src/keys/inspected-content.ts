import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { isRecord, withoutByteOrderMark } from '../basics/index.js';
import { certificatesFromPem, parseCertificate } from './certificate-chain.js';
import type { FoundKey } from './found-key.js';
import { inspectJwk } from './inspected-jwk.js';
import { KeyFailure } from './key-failure.js';
import { detectKeyFormat } from './key-format.js';
import { readPem, type PemBlock } from './pem-document.js';
import { privateKeyFromDer, privateKeyFromPem } from './private-key.js';
import type { SecretBytes } from './secret-bytes.js';

/** What a file with keys or certificates holds. */
export interface FoundContent {
  readonly format: 'pem' | 'jwk' | 'jwk-set' | 'pkcs12' | 'der';
  /** Labels of the PEM blocks, in their order. */
  readonly labels: readonly string[];
  /** Line breaks of the PEM were damaged and have been mended. */
  readonly repaired: boolean;
  readonly keys: readonly FoundKey[];
  /** All of them, in the order they stand. */
  readonly certificates: readonly X509Certificate[];
}

/** base64 of a quoted JSON string that holds a JWK. */
const MAX_LAYERS = 3;

export interface InspectionReading {
  readonly passphrase: string | undefined;
  readonly member: string;
  readonly secrets: SecretBytes;
}

export async function readInspectedContent(
  bytes: Buffer,
  reading: InspectionReading,
  layer = 1,
): Promise<FoundContent> {
  const { member, secrets } = reading;
  if (layer > MAX_LAYERS) throw new KeyFailure(member, UNKNOWN);
  switch (detectKeyFormat(bytes)) {
    case 'pem':
      return fromPem(bytes, reading);
    case 'json':
      return fromJson(bytes, reading, layer);
    case 'pkcs12': {
      const { openPkcs12 } = await import('./open-pkcs12.js');
      const { keys, certificates } = await openPkcs12(bytes, { ...reading, allowMissingMac: false });
      return found('pkcs12', { keys: unique(keys).map((publicKey) => ({ publicKey, isPrivate: true })), certificates });
    }
    case 'der':
      return fromDer(bytes, reading);
    case 'base64':
      return readInspectedContent(secrets.decodeBase64(bytes), reading, layer + 1);
    case 'utf16':
      throw new KeyFailure(member, 'is UTF-16 text: save it as UTF-8');
    case 'empty':
      throw new KeyFailure(member, 'is empty');
    case 'unknown':
    default:
      throw new KeyFailure(member, UNKNOWN);
  }
}

const UNKNOWN = 'is neither PEM, JWK, PKCS#12, DER, nor base64 of one of them';

async function fromPem(bytes: Buffer, reading: InspectionReading): Promise<FoundContent> {
  const { member, secrets } = reading;
  const { blocks, repaired } = readPem(bytes, member, secrets);
  const keys: FoundKey[] = [];
  for (const block of blocks) {
    if (block.label.endsWith('PRIVATE KEY')) {
      keys.push({ publicKey: createPublicKey(await privateKeyFromPem([block], reading)), isPrivate: true });
    } else if (block.label.endsWith('PUBLIC KEY')) {
      keys.push({ publicKey: publicKeyOf(block, member), isPrivate: false });
    }
  }
  const certificates = certificatesFromPem(blocks, member);
  return { ...found('pem', { keys, certificates }), repaired, labels: blocks.map(({ label }) => label) };
}

function publicKeyOf({ pem }: PemBlock, member: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch {
    throw new KeyFailure(member, 'is damaged: OpenSSL could not read the public key');
  }
}

async function fromDer(bytes: Buffer, reading: InspectionReading): Promise<FoundContent> {
  try {
    return found('der', { keys: [], certificates: [parseCertificate(bytes, reading.member)] });
  } catch (error) {
    if (!(error instanceof KeyFailure)) throw error;
  }
  for (const type of ['spki', 'pkcs1'] as const) {
    try {
      const publicKey = createPublicKey({ key: bytes, format: 'der', type });
      return found('der', { keys: [{ publicKey, isPrivate: false }], certificates: [] });
    } catch {
      // Not that one.
    }
  }
  const publicKey = createPublicKey(await privateKeyFromDer(bytes, reading));
  return found('der', { keys: [{ publicKey, isPrivate: true }], certificates: [] });
}

async function fromJson(bytes: Buffer, reading: InspectionReading, layer: number): Promise<FoundContent> {
  const { member, secrets } = reading;
  let value: unknown;
  try {
    value = JSON.parse(withoutByteOrderMark(bytes.toString('utf8')));
  } catch {
    throw new KeyFailure(member, 'looks like JSON but is not valid JSON');
  }
  if (typeof value === 'string') return readInspectedContent(secrets.copyOf(value), reading, layer + 1);
  if (!isRecord(value)) throw new KeyFailure(member, 'is not a JSON object');
  const set: unknown = value['keys'];
  if (set !== undefined && !Array.isArray(set)) {
    throw new KeyFailure(member, 'is a JWK set whose keys member is not a list');
  }
  const jwks = (set ?? [value]) as readonly unknown[];
  const each = jwks.map((jwk, index) => inspectJwk(jwk, set === undefined ? member : `${member}.keys[${index}]`));
  const keys = each.map(({ key }) => key);
  return found(set === undefined ? 'jwk' : 'jwk-set', { keys, certificates: each.flatMap((one) => one.certificates) });
}

const found = (format: FoundContent['format'], rest: Pick<FoundContent, 'keys' | 'certificates'>): FoundContent => ({
  format,
  labels: [],
  repaired: false,
  ...rest,
});

function unique(privateKeys: readonly KeyObject[]): KeyObject[] {
  const keys: KeyObject[] = [];
  for (const publicKey of privateKeys.map((key) => createPublicKey(key))) {
    if (!keys.some((other) => other.equals(publicKey))) keys.push(publicKey);
  }
  return keys;
}
