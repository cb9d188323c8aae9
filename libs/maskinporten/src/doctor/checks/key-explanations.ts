import type { Hint, KeyFailureKind } from '../../errors/index.js';
import { words } from '../../findings/index.js';

export const PRIVATE_KEY = 'MASKINPORTEN_PRIVATE_KEY';
export const GENERATE = words(
  'make a key with "nestjs-maskinporten keys generate" and upload its public half',
  'lag en nøkkel med «nestjs-maskinporten keys generate» og last opp den offentlige delen',
);

interface Explanation {
  /** Of the finding. Default: the kind of failure. */
  readonly id?: string;
  readonly cause: Hint;
  readonly fix: Hint;
  /** Default: the private key. */
  readonly setting?: string;
  readonly pitfall?: number;
}

const UNUSABLE: Explanation = {
  id: 'unusable',
  cause: words('The key cannot be used.', 'Nøkkelen kan ikke brukes.'),
  fix: words(
    'Look at it with "nestjs-maskinporten keys inspect" and give it in one of the forms that are listed in the guide to keys.',
    'Se på den med «nestjs-maskinporten keys inspect», og oppgi den i en av formene veiledningen for nøkler viser.',
  ),
};

const file = (setting: string): Explanation => ({
  id: 'file',
  cause: words('The key file cannot be used.', 'Nøkkelfilen kan ikke brukes.'),
  fix: words(
    'Check the path, the permissions and the content of the file: "nestjs-maskinporten keys inspect" says what it is.',
    'Kontroller sti, rettigheter og innhold i filen: «nestjs-maskinporten keys inspect» sier hva den er.',
  ),
  setting,
});

/** Which of the files a field names: `key.certificateFile`, `key[1].file`; undefined for a key that is not in a file. */
function fileSetting(field: string): string | undefined {
  const member = field.split('.', 2)[1];
  if (member === 'certificateFile') return 'MASKINPORTEN_CERTIFICATE_FILE';
  return member === 'file' ? 'MASKINPORTEN_PRIVATE_KEY_FILE' : undefined;
}

/** What the loader's failures mean to somebody who sets the key up. Its own words never quote the key. */
export const EXPLANATIONS: Readonly<Record<KeyFailureKind, (field: string) => Explanation>> = {
  source: () => UNUSABLE,
  content: (field) => {
    const setting = fileSetting(field);
    return setting === undefined ? UNUSABLE : file(setting);
  },
  file: (field) => file(fileSetting(field) ?? 'MASKINPORTEN_PRIVATE_KEY_FILE'),
  'kid-missing': () => ({
    cause: words('The key has no kid.', 'Nøkkelen mangler kid.'),
    fix: words(
      'Set MASKINPORTEN_KID to the kid that self-service shows for the key, or give the certificate chain of a certificate client.',
      'Sett MASKINPORTEN_KID til kid-en selvbetjeningen viser for nøkkelen, eller oppgi sertifikatkjeden for en sertifikatklient.',
    ),
    setting: 'MASKINPORTEN_KID',
    pitfall: 12,
  }),
  'kid-malformed': () => ({
    cause: words('The kid cannot be sent as it is.', 'Kid-en kan ikke sendes slik den er.'),
    fix: words('Copy the kid from self-service again.', 'Kopier kid-en fra selvbetjeningen på nytt.'),
    setting: 'MASKINPORTEN_KID',
  }),
  choice: () => ({
    cause: words(
      'There are several keys, and it is not clear which one signs.',
      'Det er flere nøkler, og det er ikke klart hvilken som skal signere.',
    ),
    fix: words(
      'Set MASKINPORTEN_KID to the kid of the key that signs, or give a file that holds this key alone.',
      'Sett MASKINPORTEN_KID til kid-en for nøkkelen som skal signere, eller oppgi en fil med bare denne nøkkelen.',
    ),
    setting: 'MASKINPORTEN_KID',
  }),
  'not-for-signing': () => ({
    id: 'use-enc',
    cause: words(
      'The JWK is meant for encryption and cannot sign.',
      'JWK-en er ment for kryptering og kan ikke signere.',
    ),
    fix: words(`Use a JWK with "use": "sig"; ${GENERATE.en}.`, `Bruk en JWK med "use": "sig"; ${GENERATE.nb}.`),
    pitfall: 8,
  }),
  'certificate-of-another-key': () => ({
    cause: words('The certificate belongs to another key.', 'Sertifikatet hører til en annen nøkkel.'),
    fix: words(
      'Put the private key and the certificate of the same delivery together.',
      'Sett sammen privat nøkkel og sertifikat fra samme leveranse.',
    ),
    pitfall: 10,
  }),
  passphrase: () => ({
    cause: words(
      'The key is encrypted and the passphrase does not open it.',
      'Nøkkelen er kryptert, og passordet åpner den ikke.',
    ),
    fix: words(
      'Set the passphrase that the key file was made with; look for spaces and line breaks at its end.',
      'Sett passordet nøkkelfilen ble laget med; se etter mellomrom og linjeskift til slutt.',
    ),
    setting: 'MASKINPORTEN_PRIVATE_KEY_PASSPHRASE',
  }),
  algorithm: () => ({
    cause: words('Maskinporten does not take this kind of key.', 'Maskinporten godtar ikke denne typen nøkkel.'),
    fix: words(
      `Maskinporten takes RSA of 2048 bits and more, with RS256, RS384 or RS512: ${GENERATE.en}.`,
      `Maskinporten godtar RSA fra 2048 bit, med RS256, RS384 eller RS512: ${GENERATE.nb}.`,
    ),
  }),
};
