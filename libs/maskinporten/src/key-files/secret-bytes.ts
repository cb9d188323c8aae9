import { isBase64Byte } from './key-format.js';

/**
 * Buffers that hold key material, overwritten when the work is done. What has passed through here is not left in the
 * heap, in a core file or in a pool that the next `Buffer.allocUnsafe` hands to somebody else.
 */
export class SecretBytes {
  readonly #buffers: Buffer[] = [];

  /** A zeroed buffer outside Node's shared pool, wiped by `wipe`. */
  allocate(length: number): Buffer {
    return this.own(Buffer.alloc(length));
  }

  own(buffer: Buffer): Buffer {
    this.#buffers.push(buffer);
    return buffer;
  }

  copyOf(text: string): Buffer {
    const bytes = this.allocate(Buffer.byteLength(text));
    bytes.write(text);
    return bytes;
  }

  /** Decodes base64 or base64url text, skipping everything that is not of its alphabet. */
  decodeBase64(text: Buffer): Buffer {
    const decoded = this.allocate(Math.ceil((text.length * 3) / 4));
    let length = 0;
    let bits = 0;
    let held = 0;
    for (const byte of text) {
      if (byte !== 0x3d && isBase64Byte(byte)) {
        held = ((held << 6) | sextet(byte)) & 0xffff;
        bits += 6;
        if (bits >= 8) {
          bits -= 8;
          decoded[length] = (held >> bits) & 0xff;
          length += 1;
        }
      }
    }
    return decoded.subarray(0, length);
  }

  wipe(): void {
    for (const buffer of this.#buffers) buffer.fill(0);
    this.#buffers.length = 0;
  }
}

function sextet(byte: number): number {
  if (byte >= 0x61) return byte - 0x61 + 26;
  if (byte === 0x5f || byte === 0x2f) return 63;
  if (byte === 0x2d || byte === 0x2b) return 62;
  return byte >= 0x41 ? byte - 0x41 : byte - 0x30 + 52;
}
