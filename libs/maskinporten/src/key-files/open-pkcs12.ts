import { createHmac, timingSafeEqual, type KeyObject, type X509Certificate } from 'node:crypto';
import {
  AuthenticatedSafe,
  CertBag,
  id_certBag,
  id_keyBag,
  id_pkcs8ShroudedKeyBag,
  id_SafeContents,
  id_x509Certificate,
  PFX,
  SafeContents,
  type MacData,
  type SafeBag,
} from '@peculiar/asn1-pfx';
import { readAsn1, readOctets } from './asn1.js';
import { parseCertificate } from './read-certificates.js';
import { openEncryptedPkcs8, readPkcs8 } from './encrypted-pkcs8.js';
import { IterationBudget } from './iteration-budget.js';
import { KeyFailure } from './key-failure.js';
import { decryptWithPassword, type DecryptContext } from './password-decrypt.js';
import { EncryptedData } from './password-encryption-parameters.js';
import { passwordForms, type PasswordForm } from './password-form.js';
import type { OpenKeyOptions } from './private-key.js';
import { pkcs12Kdf, PURPOSE, type Pkcs12Digest } from './pkcs12-kdf.js';

export interface Pkcs12Contents {
  readonly keys: readonly KeyObject[];
  readonly certificates: readonly X509Certificate[];
}

export interface OpenPkcs12Options extends OpenKeyOptions {
  /** Take a file that nothing protects from being changed. Default false. */
  readonly allowMissingMac?: boolean | undefined;
}

const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const PBMAC1 = '1.2.840.113549.1.5.14';
const MAC_DIGESTS: Readonly<Record<string, Pkcs12Digest>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
/** A delivery has three keys, each with its certificate, and a chain. */
const MAX_BAGS = 24;

/**
 * Opens a PKCS#12 file (RFC 7292): verifies its MAC, decrypts what is in it and gives every key and certificate.
 *
 * @throws KeyFailure with the reason; never with anything that was read.
 */
export async function openPkcs12(bytes: Buffer, options: OpenPkcs12Options): Promise<Pkcs12Contents> {
  const { member, secrets } = options;
  const { authSafe, macData } = readAsn1(bytes, PFX, member);
  // The library fills in an empty one where the file has none.
  const hasMac = macData !== undefined && macData.mac.digestAlgorithm.algorithm !== '';
  if (authSafe.contentType !== DATA) {
    throw new KeyFailure(member, 'is PKCS#12 signed with a certificate instead of a password, which is not read');
  }
  const content = readOctets(authSafe.content, member);
  const context = { member, secrets, budget: new IterationBudget(member) };
  const forms = passwordForms(options.passphrase, secrets);
  const proven = !hasMac ? forms : await verifyMac(macData, content, forms, options, context);
  if (!hasMac && options.allowMissingMac !== true) {
    throw new KeyFailure(
      member,
      'is PKCS#12 without a MAC, so a changed file would not be noticed: export it again with one, or set allowMissingMac',
    );
  }
  const reader = new SafeReader(proven, context, hasMac);
  for (const { contentType, content: sealed } of readAsn1(content, AuthenticatedSafe, member)) {
    if (contentType === DATA) await reader.read(readAsn1(readOctets(sealed, member), SafeContents, member));
    else if (contentType === ENCRYPTED_DATA) await reader.read(await reader.unseal(sealed));
    else
      throw new KeyFailure(member, 'is PKCS#12 encrypted for a certificate instead of a password, which is not read');
  }
  return reader;
}

/** @returns the forms of the password with which the MAC is right, the others after them. */
async function verifyMac(
  { mac, macSalt, iterations }: MacData,
  content: Buffer,
  forms: readonly PasswordForm[],
  { passphrase }: OpenPkcs12Options,
  { member, secrets, budget }: DecryptContext,
): Promise<readonly PasswordForm[]> {
  const { algorithm } = mac.digestAlgorithm;
  if (algorithm === PBMAC1) {
    throw new KeyFailure(member, `is PKCS#12 with a PBMAC1 (RFC 9879), which is not read yet: ${MAKE_AGAIN}`);
  }
  const digest = MAC_DIGESTS[algorithm];
  if (digest === undefined) throw new KeyFailure(member, `is PKCS#12 with a MAC that is not read: ${MAKE_AGAIN}`);
  const expected = Buffer.from(mac.digest.buffer);
  const salt = new Uint8Array(macSalt.buffer);
  const tried: Buffer[] = [];
  for (const form of forms) {
    const { bmp: password } = form;
    if (tried.some((other) => other.equals(password))) continue;
    tried.push(password);
    const key = await pkcs12Kdf({
      digest,
      purpose: PURPOSE.mac,
      password,
      salt,
      iterations: budget.take(iterations),
      length: DIGEST_LENGTH[digest],
      secrets,
    });
    const actual = createHmac(digest, key).update(content).digest();
    if (actual.length === expected.length && timingSafeEqual(actual, expected)) {
      const same = forms.filter(({ bmp }) => bmp.equals(password));
      return [...same, ...forms.filter((other) => !same.includes(other))];
    }
  }
  throw new KeyFailure('passphrase', passphrase === undefined ? MISSING : WRONG, 'passphrase');
}

const DIGEST_LENGTH = { sha1: 20, sha224: 28, sha256: 32, sha384: 48, sha512: 64 } as const;
const MAKE_AGAIN = 'export it again, with "openssl pkcs12 -export" for example';
const MISSING = 'is missing: the PKCS#12 file is protected with one';
const WRONG = 'is wrong, or the PKCS#12 file is damaged';

/** Collects keys and certificates from the bags of a file. */
class SafeReader implements Pkcs12Contents {
  readonly keys: KeyObject[] = [];
  readonly certificates: X509Certificate[] = [];
  readonly #context: DecryptContext;
  /** The MAC has shown that the password is right, so what cannot be decrypted is damage. */
  readonly #proven: boolean;
  #forms: readonly PasswordForm[];
  #bags = 0;

  constructor(forms: readonly PasswordForm[], context: DecryptContext, proven: boolean) {
    this.#forms = forms;
    this.#context = context;
    this.#proven = proven;
  }

  async unseal(sealed: ArrayBuffer): Promise<SafeContents> {
    const { member } = this.#context;
    const data = readAsn1(sealed, EncryptedData, member);
    for (const form of this.#forms) {
      const plain = await decryptWithPassword(data.info.algorithm, data.ciphertext, form, this.#context);
      const contents = plain === undefined ? undefined : this.#safeContents(plain);
      if (contents !== undefined) {
        this.#prefer(form);
        return contents;
      }
    }
    throw this.#undecryptable();
  }

  async read(contents: SafeContents): Promise<void> {
    for (const bag of contents) {
      this.#bags += 1;
      if (this.#bags > MAX_BAGS) throw new KeyFailure(this.#context.member, `holds more than ${MAX_BAGS} PKCS#12 bags`);
      await this.#readBag(bag);
    }
  }

  async #readBag({ bagId, bagValue }: SafeBag): Promise<void> {
    const { member, secrets } = this.#context;
    switch (bagId) {
      case id_keyBag: {
        const key = readPkcs8(secrets.own(Buffer.from(bagValue)), member);
        if (key === undefined) throw new KeyFailure(member, 'is damaged: it holds a private key that cannot be read');
        this.keys.push(key);
        return;
      }
      case id_pkcs8ShroudedKeyBag: {
        const key = await openEncryptedPkcs8(bagValue, this.#forms, this.#context);
        if (key === undefined) throw this.#undecryptable();
        this.keys.push(key);
        return;
      }
      case id_certBag:
        this.#readCertificate(bagValue);
        return;
      case id_SafeContents:
        await this.read(readAsn1(bagValue, SafeContents, member));
        return;
      default:
      // Revocation lists and passwords of other programs are not ours.
    }
  }

  #readCertificate(bagValue: ArrayBuffer): void {
    const { member } = this.#context;
    const { certId, certValue } = readAsn1(bagValue, CertBag, member);
    if (certId !== id_x509Certificate) return;
    this.certificates.push(parseCertificate(readOctets(certValue, member), member));
  }

  /** @returns undefined for other bytes, which is what a wrong password gives one time in 256. */
  #safeContents(plain: Buffer): SafeContents | undefined {
    try {
      return readAsn1(plain, SafeContents, this.#context.member);
    } catch {
      return undefined;
    }
  }

  /** What opened one part opens the others: the rest of the file costs one derivation each. */
  #prefer(form: PasswordForm): void {
    this.#forms = [form, ...this.#forms.filter((other) => other !== form)];
  }

  #undecryptable(): KeyFailure {
    return this.#proven
      ? new KeyFailure(this.#context.member, 'is damaged: a part of the PKCS#12 file cannot be decrypted')
      : new KeyFailure('passphrase', WRONG, 'passphrase');
  }
}
