/**
 * What the bytes of a key are, seen from their first few bytes. Nothing is decoded here, and nothing is turned into a
 * string: a string with key material stays in the heap for as long as it likes.
 */
export type KeyFormat = 'pem' | 'json' | 'pkcs12' | 'der' | 'base64' | 'utf16' | 'empty' | 'unknown';

/** More than any key with its chain. */
export const MAX_KEY_BYTES = 1024 * 1024;

const BEGIN = Buffer.from('-----BEGIN ');
const SEQUENCE = 0x30;
const OBJECT = 0x7b;
const ARRAY = 0x5b;
const STRING = 0x22;

export function detectKeyFormat(bytes: Buffer): KeyFormat {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return 'utf16';
  if (bytes.includes(BEGIN)) return 'pem';
  const first = firstVisible(bytes);
  if (first === undefined) return 'empty';
  if (first === OBJECT || first === ARRAY || first === STRING) return 'json';
  if (bytes[0] === SEQUENCE && isBinary(bytes)) return startsLikePfx(bytes) ? 'pkcs12' : 'der';
  return isBase64Text(bytes) ? 'base64' : 'unknown';
}

/** First byte after white space and a UTF-8 byte order mark. */
function firstVisible(bytes: Buffer): number | undefined {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  for (let index = start; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (byte !== undefined && !isWhiteSpace(byte)) return byte;
  }
  return undefined;
}

/** DER of any length starts with a long-form length, whose first byte is not ASCII; base64 text never has one. */
function isBinary(bytes: Buffer): boolean {
  return (bytes[1] ?? 0) >= 0x80;
}

/** A PFX is SEQUENCE { INTEGER 3, … } (RFC 7292 §4); private keys have version 0 or 1 there, certificates a SEQUENCE. */
function startsLikePfx(bytes: Buffer): boolean {
  return derVersion(bytes) === 3;
}

/** Where the content of a DER SEQUENCE with a long-form length begins. */
export const derContentAt = (der: Buffer): number => 2 + ((der[1] ?? 0) & 0x7f);

/** The version number that PFX and plain private keys begin with; undefined for certificates, public and encrypted keys. */
export function derVersion(der: Buffer): number | undefined {
  const content = derContentAt(der);
  return der[content] === 0x02 && der[content + 1] === 0x01 ? der[content + 2] : undefined;
}

export function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** Letters, digits and `+ / - _ =`: base64 and base64url. */
export function isBase64Byte(byte: number): boolean {
  return (
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2b ||
    byte === 0x2f ||
    byte === 0x2d ||
    byte === 0x5f ||
    byte === 0x3d
  );
}

function isBase64Text(bytes: Buffer): boolean {
  return bytes.every((byte, index) => isBase64Byte(byte) || isWhiteSpace(byte) || (index < 3 && byte >= 0xbb));
}
