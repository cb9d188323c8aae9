import { hash } from 'node:crypto';
import type { SecretBytes } from './secret-bytes.js';
import { TimeSlice } from './time-slice.js';

/** `ID` of RFC 7292 appendix B.3: what the derived bytes are for. */
export const PURPOSE = { key: 1, iv: 2, mac: 3 } as const;

export type Pkcs12Digest = 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';

export interface Pkcs12KdfInput {
  readonly digest: Pkcs12Digest;
  readonly purpose: 1 | 2 | 3;
  /** BMPString with its terminator. */
  readonly password: Buffer;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly length: number;
  readonly secrets: SecretBytes;
}

/** Iterations between two looks at the clock. */
const BATCH = 512;

/** The key derivation of RFC 7292 appendix B.2, in slices, so that the process can do other work meanwhile. */
export async function pkcs12Kdf(input: Pkcs12KdfInput): Promise<Buffer> {
  const { digest, purpose, iterations, length, secrets } = input;
  const blockLength = digest === 'sha384' || digest === 'sha512' ? 128 : 64;
  const salted = secrets.own(Buffer.concat([repeat(input.salt, blockLength), repeat(input.password, blockLength)]));
  const derived = secrets.allocate(length);
  const diversifier = Buffer.alloc(blockLength, purpose);
  const slice = new TimeSlice();
  let filled = 0;
  while (filled < length) {
    let block = secrets.own(hash(digest, secrets.own(Buffer.concat([diversifier, salted])), 'buffer'));
    for (let iteration = 1; iteration < iterations; iteration += 1) {
      const next = hash(digest, block, 'buffer');
      block.fill(0);
      block = next;
      if (iteration % BATCH === 0 && slice.due) await slice.rest();
    }
    secrets.own(block);
    filled += block.copy(derived, filled);
    if (filled < length) addToEachBlock(salted, repeat(block, blockLength), blockLength);
  }
  return derived;
}

/** Copies of `bytes`, the last one cut, to the next multiple of `blockLength`; nothing for nothing. */
function repeat(bytes: Uint8Array, blockLength: number): Buffer {
  const repeated = Buffer.alloc(blockLength * Math.ceil(bytes.length / blockLength));
  for (let index = 0; index < repeated.length; index += 1) repeated[index] = bytes[index % bytes.length] ?? 0;
  return repeated;
}

/** I_j = (I_j + B + 1) mod 2^v for every block, step 6C. */
function addToEachBlock(blocks: Buffer, addend: Buffer, blockLength: number): void {
  for (let start = 0; start < blocks.length; start += blockLength) {
    let carry = 1;
    for (let index = blockLength - 1; index >= 0; index -= 1) {
      carry += (blocks[start + index] ?? 0) + (addend[index] ?? 0);
      blocks[start + index] = carry & 0xff;
      carry >>= 8;
    }
  }
}
