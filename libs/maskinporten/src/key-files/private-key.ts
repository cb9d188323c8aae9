import { createPrivateKey, type KeyObject, type PrivateKeyInput } from 'node:crypto';
import { IterationBudget } from './iteration-budget.js';
import { isUnsupported, KeyFailure } from './key-failure.js';
import { derContentAt } from './key-format.js';
import { passwordForms } from './password-form.js';
import { derOf, type PemBlock } from './pem-document.js';
import type { SecretBytes } from './secret-bytes.js';

export const MIN_KEY_BITS = 2048;
/** OpenSSL verifies nothing larger. */
const MAX_KEY_BITS = 16_384;

const PRIVATE_LABELS = new Set(['PRIVATE KEY', 'RSA PRIVATE KEY', 'ENCRYPTED PRIVATE KEY']);

export interface OpenKeyOptions {
  readonly passphrase?: string | undefined;
  /** How failures name the source: `pem`, `jwk`, `file`. */
  readonly member: string;
  readonly secrets: SecretBytes;
}

/** The private key in a block of a PEM text. */
export async function privateKeyFromPem(block: PemBlock, options: OpenKeyOptions): Promise<KeyObject> {
  const { member, secrets } = options;
  const { label } = block;
  if (label === 'OPENSSH PRIVATE KEY') {
    throw new KeyFailure(member, 'is an OpenSSH key: convert it with "ssh-keygen -p -m PKCS8"');
  }
  if (label === 'EC PRIVATE KEY' || label === 'DSA PRIVATE KEY') throw notRsa(member, label.slice(0, -12));
  if (!PRIVATE_LABELS.has(label)) throw new KeyFailure(member, 'holds a kind of private key that is not known');
  if (label === 'ENCRYPTED PRIVATE KEY') return openEncrypted(derOf(block, secrets), options);
  return block.encrypted ? openTraditional(block.pem, options) : openPlainPem(block, options);
}

/** Azure Key Vault and others write the bytes of one form (PKCS#1, PKCS#8) under the label of the other. */
function openPlainPem(block: PemBlock, { member, secrets }: OpenKeyOptions): KeyObject {
  try {
    return openPlain({ key: block.pem, format: 'pem' }, member);
  } catch (error) {
    const type = block.label === 'PRIVATE KEY' ? 'pkcs1' : 'pkcs8';
    try {
      return createPrivateKey({ key: derOf(block, secrets), format: 'der', type });
    } catch {
      throw error;
    }
  }
}

/** A private key in DER: PKCS#8, encrypted PKCS#8 or PKCS#1. */
export async function privateKeyFromDer(der: Buffer, options: OpenKeyOptions): Promise<KeyObject> {
  if (isEncryptedPkcs8(der)) return openEncrypted(der, options);
  try {
    return openPlain({ key: der, format: 'der', type: 'pkcs8' }, options.member);
  } catch {
    return openPlain({ key: der, format: 'der', type: 'pkcs1' }, options.member);
  }
}

/** EncryptedPrivateKeyInfo (RFC 5958 §3) starts with a SEQUENCE where the plain forms have a version number. */
function isEncryptedPkcs8(der: Buffer): boolean {
  return der[derContentAt(der)] === 0x30;
}

/** Loaded when it is met: it brings the ASN.1 library, which plain keys do without. */
async function openEncrypted(der: Buffer, options: OpenKeyOptions): Promise<KeyObject> {
  const { member, secrets } = options;
  const passphrase = passphraseOf(options);
  const { openEncryptedPkcs8 } = await import('./encrypted-pkcs8.js');
  const context = { member, secrets, budget: new IterationBudget(member) };
  const key = await openEncryptedPkcs8(der, passwordForms(passphrase, secrets), context);
  if (key === undefined) throw wrongPassphrase();
  return key;
}

/** `Proc-Type: 4,ENCRYPTED`: one round of MD5, so there is nothing to keep off the event loop. */
function openTraditional(pem: Buffer, options: OpenKeyOptions): KeyObject {
  const passphrase = passphraseOf(options);
  try {
    return createPrivateKey({ key: pem, format: 'pem', passphrase });
  } catch (error) {
    if (isUnsupported(error)) throw new KeyFailure(options.member, UNSUPPORTED_CIPHER);
    throw wrongPassphrase();
  }
}

function openPlain(input: PrivateKeyInput, member: string): KeyObject {
  try {
    return createPrivateKey(input);
  } catch (error) {
    throw new KeyFailure(member, unreadable(error, 'is damaged: OpenSSL could not read the private key'));
  }
}

function passphraseOf({ passphrase }: OpenKeyOptions): string {
  if (passphrase === undefined)
    throw new KeyFailure('passphrase', 'is missing: the private key is encrypted', 'passphrase');
  return passphrase;
}

function wrongPassphrase(): KeyFailure {
  return new KeyFailure('passphrase', 'is wrong, or the encrypted private key is damaged', 'passphrase');
}

const UNSUPPORTED_CIPHER =
  'is encrypted with a cipher that OpenSSL 3 no longer offers: encrypt it again with "openssl pkcs8 -topk8 -v2 aes256"';

function unreadable(error: unknown, reason: string): string {
  return isUnsupported(error) ? 'holds a key of a kind that OpenSSL does not know, or is damaged' : reason;
}

function notRsa(member: string, kind: string): KeyFailure {
  return new KeyFailure(
    member,
    `is an ${kind} key: Maskinporten takes RSA keys only (RS256, RS384, RS512)`,
    'algorithm',
  );
}

/** RSA with PKCS#1 v1.5 of at least 2048 bits (RFC 7518 §3.3), in a private or public key. */
export function checkRsa(key: KeyObject, member: string): number {
  if (key.asymmetricKeyType === 'rsa-pss') {
    throw new KeyFailure(
      member,
      'is an RSA-PSS key, which cannot make RS256 signatures: use a plain RSA key',
      'algorithm',
    );
  }
  if (key.asymmetricKeyType !== 'rsa') throw notRsa(member, (key.asymmetricKeyType ?? 'unknown').toUpperCase());
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < MIN_KEY_BITS) {
    throw new KeyFailure(
      member,
      `is too small: RSA of ${bits} bits, at least ${MIN_KEY_BITS} are required`,
      'algorithm',
    );
  }
  if (bits > MAX_KEY_BITS)
    throw new KeyFailure(member, `is too large: RSA of ${bits} bits, at most ${MAX_KEY_BITS}`, 'algorithm');
  // RFC 8017 §3.1; OpenSSL takes any number when the key comes as a JWK.
  const exponent = key.asymmetricKeyDetails?.publicExponent ?? 0n;
  if (exponent < 3n || exponent % 2n === 0n) {
    throw new KeyFailure(member, 'is damaged: its public exponent is not an odd number of at least 3');
  }
  return bits;
}
