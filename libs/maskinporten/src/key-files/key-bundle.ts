import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { isRecord, withoutByteOrderMark } from '../basics/index.js';
import { derVersion, detectKeyFormat, MAX_KEY_BYTES } from './key-format.js';
import { KeyFailure } from './key-failure.js';
import { openJwk, publicHalf, type Jwk, type OpenedKey } from './open-jwk.js';
import type { OpenPkcs12Options } from './open-pkcs12.js';
import { readPem, type PemBlock } from './pem-document.js';
import { privateKeyFromDer, privateKeyFromPem } from './private-key.js';
import { certificatesFromPem, parseCertificate } from './read-certificates.js';

/** What a file with keys or certificates holds, before anybody chooses from it. */
export interface KeyBundle {
  readonly format: 'pem' | 'jwk' | 'jwk-set' | 'pkcs12' | 'der';
  /** Labels of the PEM blocks, in their order. */
  readonly labels: readonly string[];
  /** Line breaks of the PEM were damaged and have been repaired. */
  readonly repaired: boolean;
  readonly keys: readonly BundleKey[];
  /** All of them, in the order they stand, but those of JWKs, which come with their keys. */
  readonly certificates: readonly X509Certificate[];
}

/** One key of a bundle. It is opened on demand: next to it may be keys that nobody can open. */
export interface BundleKey {
  readonly isPrivate: boolean;
  /** @throws KeyFailure */
  readonly open: () => Promise<OpenedKey>;
  /** What it is written in, for a JWK. */
  readonly jwk?: Jwk;
  /** Public half of a JWK, also when its private half is of no use. Throws `KeyFailure`. */
  readonly publicHalf?: () => KeyObject;
}

/** base64 of a quoted JSON string that holds the JSON of a JWK: as deep as damage has been seen to go. */
const MAX_LAYERS = 3;
const UNKNOWN = 'is neither PEM, JWK, PKCS#12, DER, nor base64 of one of them';

/**
 * Reads keys and certificates in whatever form the bytes have.
 *
 * @throws KeyFailure
 */
export async function readKeyBundle(bytes: Buffer, options: OpenPkcs12Options, layer = 1): Promise<KeyBundle> {
  const { member, secrets } = options;
  if (bytes.length > MAX_KEY_BYTES) throw new KeyFailure(member, 'is larger than 1 MiB');
  if (layer > MAX_LAYERS) throw new KeyFailure(member, UNKNOWN);
  switch (detectKeyFormat(bytes)) {
    case 'pem':
      return pemBundle(bytes, options);
    case 'json': {
      const value = parseJson(bytes, member);
      if (typeof value === 'string') return readKeyBundle(secrets.copyOf(value), options, layer + 1);
      return jwkBundle(value, member);
    }
    case 'pkcs12': {
      // Loaded when it is met: most keys need neither the ASN.1 library nor an old cipher.
      const { openPkcs12 } = await import('./open-pkcs12.js');
      const { keys, certificates } = await openPkcs12(bytes, options);
      return bundle('pkcs12', {
        keys: keys.map((key) => ({ isPrivate: true, open: async () => ({ key }) })),
        certificates,
      });
    }
    case 'der':
      return derBundle(bytes, options);
    case 'base64':
      return readKeyBundle(secrets.decodeBase64(bytes), options, layer + 1);
    case 'utf16':
      throw new KeyFailure(member, 'is UTF-16 text: save it as UTF-8');
    case 'empty':
      throw new KeyFailure(member, 'is empty');
    case 'unknown':
    default:
      throw new KeyFailure(member, UNKNOWN);
  }
}

function parseJson(bytes: Buffer, member: string): unknown {
  try {
    return JSON.parse(withoutByteOrderMark(bytes.toString('utf8')));
  } catch {
    // The parser's own message quotes the text, so it goes no further.
    throw new KeyFailure(member, 'looks like JSON but is not valid JSON');
  }
}

/** One JWK, or a JWK set. */
export function jwkBundle(value: unknown, member: string): KeyBundle {
  if (!isRecord(value)) throw new KeyFailure(member, 'is not a JSON object');
  const set = value['keys'];
  if (set === undefined) return bundle('jwk', { keys: [jwkOf(value, member)], certificates: [] });
  if (!Array.isArray(set)) throw new KeyFailure(member, 'is a JWK set whose keys member is not a list');
  return bundle('jwk-set', {
    keys: set.map((jwk: unknown, index) => jwkOf(jwk, `${member}.keys[${index}]`)),
    certificates: [],
  });
}

function jwkOf(jwk: unknown, member: string): BundleKey {
  const members: Jwk = isRecord(jwk) ? jwk : {};
  return {
    isPrivate: members['d'] !== undefined,
    open: async () => openJwk(members, member),
    jwk: members,
    publicHalf: () => publicHalf(members, member),
  };
}

function pemBundle(bytes: Buffer, options: OpenPkcs12Options): KeyBundle {
  const { member, secrets } = options;
  const { blocks, repaired } = readPem(bytes, member, secrets);
  const keys = blocks
    .filter(({ label }) => label.endsWith('PRIVATE KEY') || label.endsWith('PUBLIC KEY'))
    .map((block): BundleKey => {
      const isPrivate = block.label.endsWith('PRIVATE KEY');
      return {
        isPrivate,
        open: async () => ({ key: isPrivate ? await privateKeyFromPem(block, options) : publicKeyOf(block, member) }),
      };
    });
  const certificates = certificatesFromPem(blocks, member);
  return { ...bundle('pem', { keys, certificates }), repaired, labels: blocks.map(({ label }) => label) };
}

function publicKeyOf({ pem }: PemBlock, member: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch {
    throw new KeyFailure(member, 'is damaged: OpenSSL could not read the public key');
  }
}

function derBundle(bytes: Buffer, options: OpenPkcs12Options): KeyBundle {
  const privateKey = { isPrivate: true, open: async () => ({ key: await privateKeyFromDer(bytes, options) }) };
  if (derVersion(bytes) !== undefined) return bundle('der', { keys: [privateKey], certificates: [] });
  const certificate = orNone(() => parseCertificate(bytes, options.member));
  if (certificate !== undefined) return bundle('der', { keys: [], certificates: [certificate] });
  const key =
    orNone(() => createPublicKey({ key: bytes, format: 'der', type: 'spki' })) ??
    orNone(() => createPublicKey({ key: bytes, format: 'der', type: 'pkcs1' }));
  const found = key === undefined ? privateKey : { isPrivate: false, open: async () => ({ key }) };
  return bundle('der', { keys: [found], certificates: [] });
}

/** Nothing in DER says which of these it is, so it is tried. */
function orNone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const bundle = (format: KeyBundle['format'], content: Pick<KeyBundle, 'keys' | 'certificates'>): KeyBundle => ({
  format,
  labels: [],
  repaired: false,
  ...content,
});
