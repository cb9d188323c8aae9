import type { KeyObject, X509Certificate } from 'node:crypto';
import { withoutByteOrderMark } from '../basics/index.js';
import { certificatesFromPem } from './certificate-chain.js';
import { detectKeyFormat } from './key-format.js';
import { KeyFailure } from './key-failure.js';
import { readPem } from './pem-document.js';
import { privateKeyFromDer, privateKeyFromPem } from './private-key.js';
import { readPrivateJwk } from './private-jwk.js';
import type { SecretBytes } from './secret-bytes.js';
import type { SigningAlgorithm } from './signing-key.js';

/** What was found in a key's bytes, before it is judged. */
export interface KeyMaterial {
  readonly privateKey: KeyObject;
  readonly certificates: readonly X509Certificate[];
  readonly kid?: string;
  readonly alg?: SigningAlgorithm;
  /** Damage that was mended on the way in, in words. */
  readonly repaired?: string;
}

export interface ReadOptions {
  readonly passphrase?: string | undefined;
  /** What was configured as `kid`; tells keys of one file apart when it is a thumbprint. */
  readonly kid?: string | undefined;
  readonly pkcs12?: Pkcs12Options | undefined;
  /** How failures name the source: `pem`, `jwk`, `file`. */
  readonly member: string;
  readonly secrets: SecretBytes;
}

export interface Pkcs12Options {
  /** Take a file without a MAC. Default false. */
  readonly allowMissingMac?: boolean | undefined;
  /** SHA-256 of the certificate whose key signs, when a file holds several. */
  readonly certificateFingerprint?: string | undefined;
}

export const MAX_KEY_BYTES = 1024 * 1024;
/** base64 of a quoted JSON string that holds the JSON of a JWK: as deep as damage has been seen to go. */
const MAX_LAYERS = 3;

/**
 * Reads a private key in whatever form the bytes have.
 *
 * @throws KeyFailure
 */
export async function readKeyMaterial(bytes: Buffer, options: ReadOptions, layer = 1): Promise<KeyMaterial> {
  const { member, secrets } = options;
  if (bytes.length > MAX_KEY_BYTES) throw new KeyFailure(member, 'is larger than 1 MiB');
  if (layer > MAX_LAYERS) throw new KeyFailure(member, UNKNOWN);
  switch (detectKeyFormat(bytes)) {
    case 'pem': {
      const { blocks, repaired } = readPem(bytes, member, secrets);
      const privateKey = await privateKeyFromPem(blocks, options);
      return {
        privateKey,
        certificates: certificatesFromPem(blocks, member),
        ...(repaired ? { repaired: 'the line breaks of the PEM were damaged and have been mended' } : {}),
      };
    }
    case 'json':
      return readJson(bytes, options, layer);
    case 'der':
      return { privateKey: await privateKeyFromDer(bytes, options), certificates: [] };
    case 'base64':
      return readKeyMaterial(secrets.decodeBase64(bytes), options, layer + 1);
    case 'pkcs12':
      return readPkcs12(bytes, options);
    case 'utf16':
      throw new KeyFailure(member, 'is UTF-16 text: save it as UTF-8');
    case 'empty':
      throw new KeyFailure(member, 'is empty');
    case 'unknown':
    default:
      throw new KeyFailure(member, UNKNOWN);
  }
}

const UNKNOWN = 'is neither PEM, a private JWK as JSON, PKCS#12, DER, nor base64 of one of them';

/** Loaded when it is met: most keys need neither the ASN.1 library nor an old cipher. */
async function readPkcs12(bytes: Buffer, options: ReadOptions): Promise<KeyMaterial> {
  const { member, secrets, passphrase, kid, pkcs12 } = options;
  const [{ openPkcs12 }, { choosePkcs12Key }] = await Promise.all([
    import('./open-pkcs12.js'),
    import('./choose-pkcs12-key.js'),
  ]);
  const contents = await openPkcs12(bytes, {
    passphrase,
    allowMissingMac: pkcs12?.allowMissingMac ?? false,
    member,
    secrets,
  });
  const certificateFingerprint = pkcs12?.certificateFingerprint;
  const privateKey = await choosePkcs12Key(contents, { kid, certificateFingerprint, member });
  return { privateKey, certificates: contents.certificates };
}

async function readJson(bytes: Buffer, options: ReadOptions, layer: number): Promise<KeyMaterial> {
  let value: unknown;
  try {
    value = JSON.parse(withoutByteOrderMark(bytes.toString('utf8')));
  } catch {
    // The parser's own message quotes the text, so it goes no further.
    throw new KeyFailure(options.member, 'looks like JSON but is not valid JSON');
  }
  if (typeof value === 'string') return readKeyMaterial(options.secrets.copyOf(value), options, layer + 1);
  return readPrivateJwk(value, options.member, options.kid);
}
