import { isBase64Byte, isWhiteSpace } from './key-format.js';
import { KeyFailure } from './key-failure.js';
import type { SecretBytes } from './secret-bytes.js';

export interface PemBlock {
  readonly label: string;
  /** The block as OpenSSL writes it, whatever the environment did to its line breaks. */
  readonly pem: Buffer;
  readonly encrypted: boolean;
}

export interface PemDocument {
  readonly blocks: readonly PemBlock[];
  /** Line breaks had become `\n`, spaces or nothing, as happens on the way through environment variables. */
  readonly repaired: boolean;
}

const BEGIN = Buffer.from('-----BEGIN ');
const END = Buffer.from('-----END ');
const LINE_BREAK = 0x0a;
const DASHES = Buffer.from('-----');
const PROC_TYPE = Buffer.from('Proc-Type:');
const BACKSLASH = 0x5c;
const LINE = 64;
/** A private key with a long chain has about ten. */
const MAX_BLOCKS = 64;
const MAX_LABEL = 32;

/**
 * Finds the PEM blocks (RFC 7468) in `bytes`. Text around them – bag attributes, comments, quotes – is skipped.
 * Everything stays in buffers; only labels and the `DEK-Info` header, which are not secret, become strings.
 *
 * @throws KeyFailure when a block is cut off or holds something that is not base64.
 */
export function readPem(bytes: Buffer, member: string, secrets: SecretBytes): PemDocument {
  const blocks: PemBlock[] = [];
  let repaired = false;
  let position = bytes.indexOf(BEGIN);
  while (position !== -1) {
    if (blocks.length === MAX_BLOCKS) throw new KeyFailure(member, `holds more than ${MAX_BLOCKS} PEM blocks`);
    const labelStart = position + BEGIN.length;
    const labelEnd = bytes.indexOf(DASHES, labelStart);
    if (labelEnd === -1 || labelEnd === labelStart || labelEnd - labelStart > MAX_LABEL) {
      throw new KeyFailure(member, 'has a damaged PEM header line');
    }
    const label = bytes.toString('latin1', labelStart, labelEnd);
    const end = Buffer.from(`-----END ${label}-----`, 'latin1');
    const bodyStart = labelEnd + DASHES.length;
    const bodyEnd = bytes.indexOf(end, bodyStart);
    if (bodyEnd === -1) throw new KeyFailure(member, 'is cut off: a PEM block has no END line');
    const body = readBody(bytes.subarray(bodyStart, bodyEnd), member, secrets);
    repaired ||= body.repaired;
    blocks.push({
      label,
      encrypted: label === 'ENCRYPTED PRIVATE KEY' || body.dekInfo !== undefined,
      pem: writePem(label, body, secrets),
    });
    position = bytes.indexOf(BEGIN, bodyEnd + end.length);
  }
  return { blocks, repaired };
}

/** The bytes that a block holds. */
export function derOf({ pem }: PemBlock, secrets: SecretBytes): Buffer {
  return secrets.decodeBase64(pem.subarray(pem.indexOf(LINE_BREAK), pem.lastIndexOf(END)));
}

interface PemBody {
  readonly base64: Buffer;
  readonly dekInfo: string | undefined;
  readonly repaired: boolean;
}

function readBody(raw: Buffer, member: string, secrets: SecretBytes): PemBody {
  const headers = readHeaders(raw, member);
  const base64 = secrets.allocate(raw.length);
  let length = 0;
  let repaired = headers.repaired;
  for (let index = headers.end; index < raw.length; index += 1) {
    const byte = raw[index] ?? 0;
    const escape = escapeLength(raw, index);
    if (escape > 0) {
      repaired = true;
      index += escape - 1;
    } else if (isWhiteSpace(byte)) {
      repaired ||= byte === 0x20 && isBase64Byte(raw[index - 1] ?? 0) && isBase64Byte(raw[index + 1] ?? 0);
    } else if (isBase64Byte(byte)) {
      base64[length] = byte;
      length += 1;
    } else {
      throw new KeyFailure(member, 'holds a PEM block with a character that is not base64');
    }
  }
  if (length === 0) throw new KeyFailure(member, 'holds an empty PEM block');
  return { base64: base64.subarray(0, length), dekInfo: headers.dekInfo, repaired };
}

interface PemHeaders {
  readonly dekInfo: string | undefined;
  /** Where the base64 starts. */
  readonly end: number;
  readonly repaired: boolean;
}

/** `Proc-Type: 4,ENCRYPTED` and `DEK-Info: <cipher>,<iv>` (RFC 1421 §4.6.1) of traditional encrypted keys. */
function readHeaders(raw: Buffer, member: string): PemHeaders {
  const words: string[] = [];
  let position = 0;
  let repaired = false;
  while (words.length < 4) {
    const gap = skipGap(raw, position);
    if (words.length === 0 && !raw.subarray(gap, gap + PROC_TYPE.length).equals(PROC_TYPE)) {
      return { dekInfo: undefined, end: 0, repaired: false };
    }
    const end = endOfWord(raw, gap);
    if (end === gap || end - gap > 80) throw new KeyFailure(member, 'has damaged encryption headers');
    words.push(raw.toString('latin1', gap, end));
    repaired ||= escapeLength(raw, end) > 0;
    position = end;
  }
  const [procType, encrypted, dekName, dekInfo] = words;
  if (procType !== 'Proc-Type:' || encrypted !== '4,ENCRYPTED' || dekName !== 'DEK-Info:') {
    throw new KeyFailure(member, 'has damaged encryption headers');
  }
  return { dekInfo, end: position, repaired };
}

function skipGap(raw: Buffer, from: number): number {
  let position = from;
  while (position < raw.length) {
    const step = isWhiteSpace(raw[position] ?? 0) ? 1 : escapeLength(raw, position);
    if (step === 0) break;
    position += step;
  }
  return position;
}

function endOfWord(raw: Buffer, from: number): number {
  let position = from;
  while (position < raw.length && !isWhiteSpace(raw[position] ?? 0) && raw[position] !== BACKSLASH) position += 1;
  return position;
}

/** Length of a line break that was written out as `\n`, `\r`, `\\n` …; 0 when there is none at `index`. */
function escapeLength(raw: Buffer, index: number): number {
  let position = index;
  while (raw[position] === BACKSLASH) position += 1;
  if (position === index) return 0;
  const letter = raw[position];
  return letter === 0x6e || letter === 0x72 ? position - index + 1 : position - index;
}

function writePem(label: string, body: PemBody, secrets: SecretBytes): Buffer {
  const headers = body.dekInfo === undefined ? '' : `Proc-Type: 4,ENCRYPTED\nDEK-Info: ${body.dekInfo}\n\n`;
  const head = `-----BEGIN ${label}-----\n${headers}`;
  const tail = `-----END ${label}-----\n`;
  const lines = Math.ceil(body.base64.length / LINE);
  const pem = secrets.allocate(head.length + body.base64.length + lines + tail.length);
  let position = pem.write(head, 'latin1');
  for (let line = 0; line < body.base64.length; line += LINE) {
    position += body.base64.copy(pem, position, line, line + LINE);
    position += pem.write('\n', position, 'latin1');
  }
  pem.write(tail, position, 'latin1');
  return pem;
}
