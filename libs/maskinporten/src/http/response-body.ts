import type { Readable } from 'node:stream';
import { UnacceptableAnswer } from './transport-error.js';

/**
 * Reads a body of at most `maxBytes`. An encoded body is refused unread: none was asked for, and 200 kB of gzip can
 * become 200 MB.
 */
export async function readBody(
  stream: Readable,
  headers: Readonly<Record<string, string | undefined>>,
  maxBytes: number,
): Promise<Buffer> {
  const refusal = refusalOf(headers, maxBytes);
  if (refusal !== undefined) {
    stream.on('error', () => {}).destroy();
    throw new UnacceptableAnswer(refusal);
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) throw new UnacceptableAnswer('is not bytes');
    length += chunk.length;
    if (length > maxBytes) throw new UnacceptableAnswer(tooLarge(maxBytes));
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function refusalOf(headers: Readonly<Record<string, string | undefined>>, maxBytes: number): string | undefined {
  const encoding = headers['content-encoding']?.trim().toLowerCase();
  if (encoding !== undefined && encoding !== '' && encoding !== 'identity') {
    return 'is compressed, which was not asked for';
  }
  return Number(headers['content-length'] ?? 0) > maxBytes ? tooLarge(maxBytes) : undefined;
}

function tooLarge(maxBytes: number): string {
  return `is larger than ${maxBytes} bytes`;
}
