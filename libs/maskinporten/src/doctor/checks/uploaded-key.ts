import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { withoutByteOrderMark, isRecord } from '../../basics/index.js';
import { jwkThumbprint } from '../../key-files/index.js';
import type { SigningKey } from '../../keys/index.js';
import type { Check } from '../examination.js';
import {
  failed,
  good,
  skipped,
  warning,
  words,
  type Complaint,
  type Finding,
  type Topic,
} from '../../findings/index.js';

const TOPIC: Topic = { id: 'uploaded-key', title: words('Uploaded public key', 'Opplastet offentlig nøkkel') };

const UPLOAD = words(
  'print the public JWK with "nestjs-maskinporten keys jwk" and upload it to the client',
  'skriv ut offentlig JWK med «nestjs-maskinporten keys jwk» og last den opp på klienten',
);
const UPLOAD_AGAIN = words(`Make it again: ${UPLOAD.en}.`, `Lag den på nytt: ${UPLOAD.nb}.`);

interface UploadedKey {
  readonly jwk: Readonly<Record<string, unknown>>;
  /** Undefined when it is not an RSA key. */
  readonly thumbprint: string | undefined;
}

/** Is what was uploaded what Maskinporten takes (Digdir, client keys), and is it this key? */
export async function checkUploadedKey(text: string, key: SigningKey | undefined): Promise<readonly Finding[]> {
  const entries = readSet(text);
  if (entries === undefined) {
    return [
      failed(TOPIC, {
        kind: 'unreadable',
        cause: words('The file is neither a JWK nor a JWK set.', 'Filen er verken en JWK eller et JWK-sett.'),
        fix: UPLOAD_AGAIN,
        field: 'jwks',
      }),
    ];
  }
  const uploaded = await Promise.all(entries.map(withThumbprint));
  if (entries.some((jwk) => 'd' in jwk)) return [failed(TOPIC, PRIVATE)];
  if (key === undefined) return uploaded.flatMap(({ jwk }) => malformed(jwk)).slice(0, 1);
  const same = uploaded.find(({ thumbprint }) => thumbprint !== undefined && thumbprint === key.thumbprint);
  const named = uploaded.find(({ jwk }) => key.kid !== undefined && jwk['kid'] === key.kid);
  const chosen = same ?? named;
  if (chosen !== undefined) {
    const [fault] = malformed(chosen.jwk);
    if (fault !== undefined) return [fault];
  }
  if (same === undefined) return [failed(TOPIC, named === undefined && uploaded.length > 1 ? notAmong : otherKey)];
  if (key.kid !== undefined && same.jwk['kid'] !== key.kid) return [failed(TOPIC, otherKid(key.kid, same.jwk['kid']))];
  return [
    good(
      TOPIC,
      words('It is the public half of the signing key.', 'Det er den offentlige delen av signeringsnøkkelen.'),
    ),
    ...tooMany(entries.length),
  ];
}

function malformed(jwk: Readonly<Record<string, unknown>>): readonly Finding[] {
  const { use, alg, kid, kty } = jwk;
  if (kty !== 'RSA') return [failed(TOPIC, NOT_RSA)];
  if (use !== 'sig') return [failed(TOPIC, wrongUse(use))];
  if (alg !== 'RS256' && alg !== 'RS384' && alg !== 'RS512')
    return [failed(TOPIC, alg === undefined ? NO_ALG : WRONG_ALG)];
  if (typeof kid !== 'string' || kid === '') return [failed(TOPIC, NO_KID)];
  return [];
}

const PRIVATE: Complaint = {
  kind: 'private',
  cause: words(
    'The file holds the private key. If this was uploaded, the key is not secret any more.',
    'Filen inneholder den private nøkkelen. Er den lastet opp, er nøkkelen ikke lenger hemmelig.',
  ),
  fix: words(
    `Take the key out of use and make a new one; then ${UPLOAD.en}.`,
    `Ta nøkkelen ut av bruk og lag en ny; så ${UPLOAD.nb}.`,
  ),
  field: 'jwks',
};

const NOT_RSA: Complaint = {
  kind: 'not-rsa',
  cause: words('It is not an RSA key.', 'Det er ikke en RSA-nøkkel.'),
  fix: UPLOAD_AGAIN,
  field: 'jwks',
};

function wrongUse(use: unknown): Complaint {
  return {
    kind: use === 'enc' ? 'use-enc' : 'use-missing',
    cause:
      use === 'enc'
        ? words(
            'The JWK says "use": "enc": it is for encryption, so grants signed with it are refused.',
            'JWK-en sier "use": "enc": den er for kryptering, så grants signert med den avvises.',
          )
        : words('The JWK does not say "use": "sig".', 'JWK-en sier ikke "use": "sig".'),
    fix: words(
      `Set "use" to "sig" and upload it again; or ${UPLOAD.en}.`,
      `Sett "use" til "sig" og last den opp på nytt; eller ${UPLOAD.nb}.`,
    ),
    field: 'jwks',
    pitfall: 8,
  };
}

const NO_ALG: Complaint = {
  kind: 'alg-missing',
  cause: words('The JWK has no "alg", which Maskinporten demands.', 'JWK-en mangler "alg", som Maskinporten krever.'),
  fix: words(
    `Add "alg": "RS256" and upload it again; or ${UPLOAD.en}.`,
    `Legg til "alg": "RS256" og last den opp på nytt; eller ${UPLOAD.nb}.`,
  ),
  field: 'jwks',
  pitfall: 9,
};

const WRONG_ALG: Complaint = {
  ...NO_ALG,
  kind: 'alg',
  cause: words(
    'The JWK has an "alg" that Maskinporten does not take.',
    'JWK-en har en "alg" som Maskinporten ikke godtar.',
  ),
};

const NO_KID: Complaint = {
  kind: 'kid-missing',
  cause: words('The uploaded JWK has no "kid".', 'Den opplastede JWK-en mangler "kid".'),
  fix: words(
    `Give it a kid (a UUID is good), set MASKINPORTEN_KID to the same, and upload it again; or ${UPLOAD.en}.`,
    `Gi den en kid (gjerne en UUID), sett MASKINPORTEN_KID til den samme, og last den opp på nytt; eller ${UPLOAD.nb}.`,
  ),
  field: 'MASKINPORTEN_KID',
  pitfall: 12,
};

const otherKey: Complaint = {
  kind: 'other-key',
  cause: words(
    'The uploaded key is not the public half of the private key that signs.',
    'Den opplastede nøkkelen er ikke den offentlige delen av den private nøkkelen som signerer.',
  ),
  fix: words(
    `Use the private key that belongs to it; or ${UPLOAD.en}.`,
    `Bruk den private nøkkelen som hører til; eller ${UPLOAD.nb}.`,
  ),
  field: 'MASKINPORTEN_PRIVATE_KEY',
  pitfall: 10,
};

const notAmong: Complaint = {
  ...otherKey,
  cause: words(
    'None of the uploaded keys is the public half of the private key that signs.',
    'Ingen av de opplastede nøklene er den offentlige delen av den private nøkkelen som signerer.',
  ),
};

function otherKid(configured: string, uploaded: unknown): Complaint {
  const right = typeof uploaded === 'string' ? uploaded.slice(0, 128) : '';
  return {
    kind: 'kid-unknown',
    cause: words(
      `The key was uploaded under the kid ${right}, and grants name it ${configured}: Maskinporten does not know that kid.`,
      `Nøkkelen er lastet opp med kid ${right}, men grants kaller den ${configured}: den kid-en kjenner ikke Maskinporten.`,
    ),
    fix: words(`Set MASKINPORTEN_KID to ${right}`, `Sett MASKINPORTEN_KID til ${right}`),
    field: 'MASKINPORTEN_KID',
    pitfall: 11,
  };
}

function tooMany(count: number): readonly Finding[] {
  if (count <= 5) return [];
  return [
    warning(TOPIC, {
      kind: 'too-many',
      cause: words(`There are ${count} keys; a client may have five.`, `Det er ${count} nøkler; en klient kan ha fem.`),
      fix: words('Remove the keys that nobody signs with.', 'Fjern nøklene ingen signerer med.'),
      field: 'jwks',
    }),
  ];
}

function readSet(text: string): readonly Readonly<Record<string, unknown>>[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(withoutByteOrderMark(text));
  } catch {
    // The parser's own message quotes the text.
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const keys: unknown = value['keys'] ?? [value];
  const records = Array.isArray(keys) ? keys.filter(isRecord) : [];
  return records.length > 0 && records.every((jwk) => 'kty' in jwk) ? records : undefined;
}

async function withThumbprint(jwk: Readonly<Record<string, unknown>>): Promise<UploadedKey> {
  const { kty, n, e } = jwk;
  try {
    const key: JsonWebKey = { kty: String(kty), n: String(n), e: String(e) };
    return {
      jwk,
      thumbprint: kty === 'RSA' ? await jwkThumbprint(createPublicKey({ key, format: 'jwk' })) : undefined,
    };
  } catch {
    return { jwk, thumbprint: undefined };
  }
}

export const uploadedKey: Check = {
  ...TOPIC,
  run: async (examination) => {
    const { uploadedJwks } = examination.setup;
    if (uploadedJwks === undefined) {
      return [
        skipped(
          TOPIC,
          words(
            'What was uploaded is not at hand: give it with --jwks and it is compared with the key.',
            'Det som ble lastet opp, er ikke oppgitt: gi det med --jwks, så sammenlignes det med nøkkelen.',
          ),
        ),
      ];
    }
    const keys = await examination.keys();
    return checkUploadedKey(uploadedJwks, 'value' in keys ? keys.value.ring.current : undefined);
  },
};
