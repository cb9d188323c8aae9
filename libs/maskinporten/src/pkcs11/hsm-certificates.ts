import { X509Certificate, type KeyObject } from 'node:crypto';

/** The certificates on the token in PEM, when one of them is the key's: what does not belong to it is sorted out later. */
export function chainOf(certificates: readonly Uint8Array[], publicKey: KeyObject): string | undefined {
  const read = certificates.flatMap((der) => {
    try {
      return new X509Certificate(der);
    } catch {
      // A token may hold certificates of others; a damaged one among them is not our business.
      return [];
    }
  });
  const own = read.some((certificate) => certificate.publicKey.equals(publicKey));
  return own ? read.map(String).join('\n') : undefined;
}
