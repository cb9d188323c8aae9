import type { Failure, Hint, MaskinportenError } from '../../errors/index.js';
import type { SigningKey } from '../../keys/index.js';
import type { Check, LoadedKeys, Outcome } from '../examination.js';
import { failed, good, warning, words, type Complaint, type Finding, type Topic } from '../../findings/index.js';
import type { DoctorSetup } from '../setup.js';
import { EXPLANATIONS, GENERATE, PRIVATE_KEY } from './key-explanations.js';

export const KEY: Topic = { id: 'key', title: words('Signing key', 'Signeringsnøkkel') };

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
