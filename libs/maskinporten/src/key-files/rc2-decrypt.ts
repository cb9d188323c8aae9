import { TimeSlice } from './time-slice.js';

/** Takes about ten milliseconds; a whole chain of certificates is eight such pieces. */
const PIECE = 1_024;

/**
 * RC2 in CBC mode (RFC 2268), the cipher of certificates in older PKCS#12 files. OpenSSL 3 offers it only where the
 * legacy provider is installed and switched on, so it comes from node-forge: its cipher alone, loaded when it is met.
 *
 * @returns undefined when the padding is wrong, which is what another password gives.
 */
export async function rc2Decrypt(key: Buffer, iv: Buffer, data: Buffer): Promise<Buffer | undefined> {
  const [{ default: rc2 }, { default: util }] = await Promise.all([
    import('node-forge/lib/rc2.js'),
    import('node-forge/lib/util.js'),
  ]);
  const bytes = (buffer: Buffer): ReturnType<typeof util.createBuffer> => util.createBuffer(buffer.toString('latin1'));
  const decipher = rc2.createDecryptionCipher(bytes(key), key.length * 8);
  decipher.start(bytes(iv));
  const slice = new TimeSlice();
  for (let start = 0; start < data.length; start += PIECE) {
    decipher.update(bytes(data.subarray(start, start + PIECE)));
    if (slice.due) await slice.rest();
  }
  return decipher.finish() ? Buffer.from(decipher.output.getBytes(), 'latin1') : undefined;
}
