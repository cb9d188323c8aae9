import type { Failure, Hint, KeyFailureKind, MaskinportenError } from '../../errors/index.js';
import type { SigningKey } from '../../keys/index.js';
import type { Check } from '../check.js';
import type { LoadedKeys, Outcome } from '../examination.js';
import { failed, good, warning, words, type Complaint, type Finding, type Topic } from '../../findings/index.js';
import type { DoctorSetup } from '../setup.js';

export const KEY: Topic = { id: 'key', title: words('Signing key', 'Signeringsnøkkel') };

const PRIVATE_KEY = 'MASKINPORTEN_PRIVATE_KEY';
const GENERATE = words(
  'make a key with "nestjs-maskinporten keys generate" and upload its public half',
  'lag en nøkkel med «nestjs-maskinporten keys generate» og last opp den offentlige delen',
);

/** Does the key load, is it one that Maskinporten takes, and does it belong to its certificate? */
export function checkKey({ key }: DoctorSetup, keys: Outcome<LoadedKeys>): readonly Finding[] {
  if (key === undefined) {
    return [
      failed(KEY, {
        kind: 'missing',
        cause: words('There is no private key.', 'Privat nøkkel mangler.'),
        fix: words(
          `Set MASKINPORTEN_PRIVATE_KEY_FILE or MASKINPORTEN_PKCS12_FILE; or ${GENERATE.en}.`,
          `Sett MASKINPORTEN_PRIVATE_KEY_FILE eller MASKINPORTEN_PKCS12_FILE; eller ${GENERATE.nb}.`,
        ),
        field: PRIVATE_KEY,
      }),
    ];
  }
  if ('error' in keys) return refusedKeys(keys.error);
  const { ring, warnings } = keys.value;
  const weak = warnings
    .filter(({ code }) => code === 'file-readable-by-others' || code === 'text-repaired')
    .map(({ code }) => warning(KEY, WARNINGS[code === 'text-repaired' ? code : 'file-readable-by-others']));
  return [good(KEY, describe(ring.current)), ...weak, ...withoutAlg(key)];
}

/** A certificate that has run out is for the check of certificates to say. */
function refusedKeys(error: MaskinportenError): readonly Finding[] {
  if (error.code === 'MP_CERTIFICATE_EXPIRED') {
    return [
      failed(
        { id: 'certificate', title: words('Enterprise certificate', 'Virksomhetssertifikat') },
        {
          kind: 'expired',
          cause: words(
            'The enterprise certificate has expired, so nothing can be signed with it.',
            'Virksomhetssertifikatet er utløpt, så ingenting kan signeres med det.',
          ),
          fix: words(
            'Order a new certificate from Buypass or Commfides and put it in place of the old one.',
            'Bestill nytt sertifikat hos Buypass eller Commfides, og bytt ut det gamle.',
          ),
          field: PRIVATE_KEY,
          pitfall: 15,
        },
      ),
    ];
  }
  return error.failures.map((failure) => failed(KEY, complaintOf(failure)));
}

function complaintOf({ field, reason, kind = 'source' }: Failure): Complaint {
  const { id = kind, cause, fix, setting = PRIVATE_KEY, pitfall } = EXPLANATIONS[kind](field);
  return {
    kind: id,
    cause: words(`${cause.en} (${field} ${reason})`, `${cause.nb} (${field} ${reason})`),
    fix,
    field: setting,
    pitfall,
  };
}

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
const EXPLANATIONS: Readonly<Record<KeyFailureKind, (field: string) => Explanation>> = {
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

const WARNINGS: Readonly<Record<'file-readable-by-others' | 'text-repaired', Complaint>> = {
  'file-readable-by-others': {
    kind: 'readable-by-others',
    cause: words('The key file can be read by other users.', 'Nøkkelfilen kan leses av andre brukere.'),
    fix: words('Set its mode to 0400.', 'Sett rettighetene til 0400.'),
    field: 'MASKINPORTEN_PRIVATE_KEY_FILE',
  },
  'text-repaired': {
    kind: 'damaged-line-breaks',
    cause: words(
      'The line breaks of the PEM are damaged; they were repaired while it was read.',
      'Linjeskiftene i PEM-teksten er skadet; de ble rettet under innlesing.',
    ),
    fix: words(
      'Give the key as a file, or as base64 of the PEM.',
      'Oppgi nøkkelen som fil, eller som base64 av PEM-teksten.',
    ),
    field: PRIVATE_KEY,
  },
};

function describe({ alg, kid, publicKey, x5c }: SigningKey): Hint {
  const bits = publicKey?.asymmetricKeyDetails?.modulusLength;
  const size = bits === undefined ? 'RSA' : `RSA ${bits}`;
  const small = bits !== undefined && bits < 3072;
  const [shown, vist] =
    kid === undefined
      ? [
          `shown by certificate (${x5c?.length ?? 0} in the chain)`,
          `vises med sertifikat (${x5c?.length ?? 0} i kjeden)`,
        ]
      : [`kid ${kid.slice(0, 8)}${kid.length > 8 ? '…' : ''}`, `kid ${kid.slice(0, 8)}${kid.length > 8 ? '…' : ''}`];
  return words(
    `${size}, ${alg}, ${shown}.${small ? ' Take 3072 bits for the next one.' : ''}`,
    `${size}, ${alg}, ${vist}.${small ? ' Velg 3072 bit for den neste.' : ''}`,
  );
}

/** It works here, where RS256 is taken for granted; uploading it does not. */
function withoutAlg(key: NonNullable<DoctorSetup['key']>): readonly Finding[] {
  const sources = [key].flat();
  const bare = sources.some((source) => {
    if (!('jwk' in source) || source.jwk === undefined) return false;
    const jwk: unknown = typeof source.jwk === 'string' ? parsed(source.jwk) : source.jwk;
    return typeof jwk === 'object' && jwk !== null && !('keys' in jwk) && !('alg' in jwk);
  });
  if (!bare) return [];
  return [
    warning(KEY, {
      kind: 'alg-missing',
      cause: words(
        'The JWK has no alg. It signs with RS256, but self-service refuses a public key without alg.',
        'JWK-en mangler alg. Den signerer med RS256, men selvbetjeningen avviser en offentlig nøkkel uten alg.',
      ),
      fix: words(
        'Add "alg": "RS256"; "nestjs-maskinporten keys jwk" prints a public JWK that is ready to upload.',
        'Legg til "alg": "RS256"; «nestjs-maskinporten keys jwk» skriver en offentlig JWK som er klar til opplasting.',
      ),
      field: PRIVATE_KEY,
      pitfall: 9,
    }),
  ];
}

/** Undefined for what is not JSON, such as base64 of it. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export const keyMaterial: Check = {
  ...KEY,
  run: async (examination) => checkKey(examination.setup, await examination.keys()),
};
