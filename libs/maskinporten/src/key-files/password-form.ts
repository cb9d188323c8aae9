import type { SecretBytes } from './secret-bytes.js';

/** One way a password becomes bytes. */
export interface PasswordForm {
  /** Two bytes per character, most significant first, with a terminator (RFC 7292 appendix B.1). */
  readonly bmp: Buffer;
  /** For PBKDF2 and scrypt. */
  readonly bytes: Buffer;
}

/**
 * The ways in which programs turn `passphrase` into bytes, the usual one first. For ASCII there is one; for
 * `blåbærsyltetøy` there are those of programs that took UTF-8 for Latin-1 and of keyboards that compose their letters.
 * No passphrase and an empty one are the same, and PKCS#12 files write them in two ways.
 */
export function passwordForms(passphrase: string | undefined, secrets: SecretBytes): readonly PasswordForm[] {
  const text = passphrase ?? '';
  if (text === '') {
    const bytes = Buffer.alloc(0);
    return [
      { bmp: Buffer.alloc(2), bytes },
      { bmp: Buffer.alloc(0), bytes },
    ];
  }
  const utf8 = secrets.copyOf(text);
  if (utf8.length === text.length) return [{ bmp: bmpString(text, secrets), bytes: utf8 }];
  const forms = [{ bmp: bmpString(text, secrets), bytes: utf8 }];
  if (isLatin1(text)) forms.push({ bmp: bmpString(text, secrets), bytes: secrets.own(Buffer.from(text, 'latin1')) });
  for (const other of [text.normalize('NFC'), text.normalize('NFD')]) {
    if (other !== text) forms.push({ bmp: bmpString(other, secrets), bytes: secrets.copyOf(other) });
  }
  // OpenSSL before 1.1 made the characters of its BMPString from the bytes it got from a UTF-8 terminal.
  return [...forms, { bmp: bmpString(utf8.toString('latin1'), secrets), bytes: utf8 }];
}

function bmpString(text: string, secrets: SecretBytes): Buffer {
  const bytes = secrets.allocate((text.length + 1) * 2);
  bytes.write(text, 'utf16le');
  return bytes.swap16();
}

function isLatin1(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > 0xff) return false;
  }
  return true;
}
