// The two files of node-forge that are used; its published types describe the whole library only.
declare module 'node-forge/lib/util.js' {
  export interface ByteBuffer {
    length(): number;
    getBytes(): string;
  }
  const util: { createBuffer(bytes: string): ByteBuffer };
  export default util;
}

declare module 'node-forge/lib/rc2.js' {
  import type { ByteBuffer } from 'node-forge/lib/util.js';

  export interface Rc2Decipher {
    readonly output: ByteBuffer;
    start(iv: ByteBuffer): void;
    update(input: ByteBuffer): void;
    finish(): boolean;
  }
  const rc2: { createDecryptionCipher(key: ByteBuffer, effectiveBits: number): Rc2Decipher };
  export default rc2;
}
