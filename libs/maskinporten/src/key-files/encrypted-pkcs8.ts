import { createPrivateKey, type KeyObject } from 'node:crypto';
import { PKCS8ShroudedKeyBag } from '@peculiar/asn1-pfx';
import { readAsn1 } from './asn1.js';
import { isUnsupported, KeyFailure } from './key-failure.js';
import { decryptWithPassword, type DecryptContext } from './password-decrypt.js';
import type { PasswordForm } from './password-form.js';

/**
 * Opens an EncryptedPrivateKeyInfo (RFC 5958 §3), trying the password in each of its forms.
 *
 * @returns undefined when none of them is the right one.
 * @throws KeyFailure
 */
export async function openEncryptedPkcs8(
  der: ArrayBuffer | Uint8Array,
  forms: readonly PasswordForm[],
  context: DecryptContext,
): Promise<KeyObject | undefined> {
  const { encryptionAlgorithm, encryptedData } = readAsn1(der, PKCS8ShroudedKeyBag, context.member);
  const data = Buffer.from(encryptedData.buffer);
  for (const form of forms) {
    const plain = await decryptWithPassword(encryptionAlgorithm, data, form, context);
    const key = plain === undefined ? undefined : readPkcs8(plain, context.member);
    if (key !== undefined) return key;
  }
  return undefined;
}

/**
 * @returns undefined for bytes that are not a PrivateKeyInfo, which is what a wrong password gives one time in 256.
 * @throws KeyFailure for a key that OpenSSL does not know.
 */
export function readPkcs8(der: Buffer, member: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } catch (error) {
    if (isUnsupported(error) && der[0] === 0x30)
      throw new KeyFailure(member, 'holds a key of a kind that OpenSSL does not know, or is damaged');
    return undefined;
  }
}
