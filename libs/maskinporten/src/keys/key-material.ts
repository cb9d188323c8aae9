import type { KeyObject, X509Certificate } from 'node:crypto';
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
  /** How failures name the source: `pem`, `jwk`, `file`. */
  readonly member: string;
  readonly secrets: SecretBytes;
}

export const MAX_KEY_BYTES = 1024 * 1024;
/** base64 of a quoted JSON string that holds the JSON of a JWK: as deep as damage has been seen to go. */
const MAX_LAYERS = 3;

export const PKCS12_REFUSAL =
  'is PKCS#12 (.p12, .pfx), which cannot be read yet: convert it with ' +
  '"openssl pkcs12 -in key.p12 -nodes -out key.pem" (older files also need -legacy) and use the PEM';

/**
 * Reads a private key in whatever form the bytes have.
 *
 * @throws KeyFailure
 */
export function readKeyMaterial(bytes: Buffer, options: ReadOptions, layer = 1): KeyMaterial {
  const { member, passphrase, secrets } = options;
  if (bytes.length > MAX_KEY_BYTES) throw new KeyFailure(member, 'is larger than 1 MiB');
  if (layer > MAX_LAYERS) throw new KeyFailure(member, UNKNOWN);
  switch (detectKeyFormat(bytes)) {
    case 'pem': {
      const { blocks, repaired } = readPem(bytes, member, secrets);
      const privateKey = privateKeyFromPem(blocks, passphrase, member);
      return {
        privateKey,
        certificates: certificatesFromPem(blocks, member),
        ...(repaired ? { repaired: 'the line breaks of the PEM were damaged and have been mended' } : {}),
      };
    }
    case 'json':
      return readJson(bytes, options, layer);
    case 'der':
      return { privateKey: privateKeyFromDer(bytes, passphrase, member), certificates: [] };
    case 'base64':
      return readKeyMaterial(secrets.decodeBase64(bytes), options, layer + 1);
    case 'pkcs12':
      throw new KeyFailure(member, PKCS12_REFUSAL);
    case 'utf16':
      throw new KeyFailure(member, 'is UTF-16 text: save it as UTF-8');
    case 'empty':
      throw new KeyFailure(member, 'is empty');
    case 'unknown':
    default:
      throw new KeyFailure(member, UNKNOWN);
  }
}

const UNKNOWN = 'is neither PEM, a private JWK as JSON, nor base64 of one of them';

function readJson(bytes: Buffer, options: ReadOptions, layer: number): KeyMaterial {
  let value: unknown;
  try {
    const text = bytes.toString('utf8');
    value = JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
  } catch {
    // The parser's own message quotes the text, so it goes no further.
    throw new KeyFailure(options.member, 'looks like JSON but is not valid JSON');
  }
  if (typeof value === 'string') return readKeyMaterial(options.secrets.copyOf(value), options, layer + 1);
  return readPrivateJwk(value, options.member);
}
