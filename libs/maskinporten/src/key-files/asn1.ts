import { AsnConstructedOctetStringConverter, AsnParser, OctetString } from '@peculiar/asn1-schema';
import { KeyFailure } from './key-failure.js';

/**
 * What a key file may ask of the parser. A certificate has some 70 nodes, which the parser counts although they are inside
 * an OCTET STRING; two thousand take it some 10 ms, so that no file holds the event loop (F-120).
 */
const LIMITS = { maxDepth: 16, maxNodes: 2_000, maxContentLength: 1024 * 1024 } as const;

/**
 * Reads BER or DER into `type`.
 *
 * @throws KeyFailure; the parser's own message may quote what it read, so it goes no further (T-10).
 */
export function readAsn1<T>(bytes: ArrayBuffer | Uint8Array, type: new () => T, member: string): T {
  try {
    return AsnParser.parse(bytes, type, { berOptions: LIMITS });
  } catch {
    throw new KeyFailure(member, 'is damaged: its ASN.1 structure is not that of a key file');
  }
}

/** Browsers and Java libraries write OCTET STRINGs in pieces (BER); the library's own type reads those as empty. */
class WholeOctetString extends OctetString {
  override fromASN(asn: Parameters<OctetString['fromASN']>[0]): this {
    this.buffer = AsnConstructedOctetStringConverter.fromASN(asn).buffer;
    return this;
  }
}

/** The content of an OCTET STRING, in one piece or in several. */
export function readOctets(bytes: ArrayBuffer | Uint8Array, member: string): Buffer {
  return Buffer.from(readAsn1(bytes, WholeOctetString, member).buffer);
}
