import type { Finding } from './finding.js';
import type { KeyInput } from './key-input.js';

/** What is wrong with a file as a whole. */
export function keyFileFindings({ readableByOthers, inspection }: KeyInput): Finding[] {
  const isSecret = inspection.keys.some(({ isPrivate }) => isPrivate);
  const strangers = inspection.keys.filter(({ isPrivate, chain }) => isPrivate && chain.length === 0);
  return [
    ...(readableByOthers && isSecret
      ? [
          {
            id: 'file-permissions',
            state: 'warning' as const,
            text: {
              en: 'everybody on this machine may read the private key: set its mode to 0400',
              nb: 'alle på maskinen kan lese den private nøkkelen: sett rettighetene til 0400',
            },
          },
        ]
      : []),
    ...(inspection.repaired
      ? [
          {
            id: 'line-breaks',
            state: 'warning' as const,
            text: {
              en: 'the line breaks of the PEM are damaged; the library mends them, other programs may not',
              nb: 'linjeskiftene i PEM-filen er ødelagt; biblioteket reparerer dem, andre programmer gjør det kanskje ikke',
            },
          },
        ]
      : []),
    ...(strangers.length > 0 && inspection.certificates.length > 0 && isSecret
      ? [
          {
            id: 'certificate-of-another-key',
            state: strangers.length === inspection.keys.length ? ('failed' as const) : ('warning' as const),
            text: {
              en: 'a private key and a certificate in it do not belong together',
              nb: 'en privat nøkkel og et sertifikat i filen hører ikke sammen',
            },
          },
        ]
      : []),
  ];
}
