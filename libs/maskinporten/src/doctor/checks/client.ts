import type { MaskinportenError, MaskinportenErrorCode } from '../../errors/index.js';
import type { SigningKey } from '../../keys/index.js';
import type { Check, Examination } from '../examination.js';
import { NAMES, otherEnvironment } from '../environment-names.js';
import { failed, good, warning, words, type Complaint, type Finding, type Topic, CLOCK } from '../../findings/index.js';
import { CERTIFICATE, INCOMPLETE_CHAIN, isIncomplete, wrongEnvironment, wrongOrganisation } from './certificate.js';
import { AUDIENCE } from './issuer-setting.js';
import { KEY } from './key-material.js';

const TOPIC: Topic = {
  id: 'client',
  title: words('Client and key at Maskinporten', 'Klient og nøkkel hos Maskinporten'),
};

/** Refusals of what was asked for, by which Maskinporten shows that it knows who asks. */
const AFTER_AUTHENTICATION: ReadonlySet<MaskinportenErrorCode> = new Set([
  'MP_SCOPE',
  'MP_NOT_GRANTED',
  'MP_SCOPE_NOT_GRANTED',
  'MP_NOT_DELEGATED',
  'MP_SYSTEMUSER_MISSING',
]);

/** Sends one grant, and tells what a refusal of the client, its key or its audience comes from. */
export async function checkClient(examination: Examination): Promise<readonly Finding[]> {
  const answer = await examination.token({ scopes: [examination.probe] });
  const keys = await examination.keys();
  if ('error' in answer && !AFTER_AUTHENTICATION.has(answer.error.code)) {
    return [explain(answer.error, 'value' in keys ? keys.value.ring.current : undefined, examination)];
  }
  const accepted = good(
    TOPIC,
    words('Maskinporten knows the client and accepts its key.', 'Maskinporten kjenner klienten og godtar nøkkelen.'),
  );
  const { fallback } = examination;
  if (fallback === undefined) return [accepted];
  return [
    accepted,
    warning(TOPIC, {
      kind: 'fallback',
      cause: words(
        `The first key was refused (${fallback.mpCode ?? fallback.code}), and a previous one signed in its place.`,
        `Den første nøkkelen ble avvist (${fallback.mpCode ?? fallback.code}), og en tidligere signerte i stedet.`,
      ),
      fix: fallback.hint,
      field: fallback.failures[0]?.field ?? 'MASKINPORTEN_PRIVATE_KEY',
    }),
  ];
}

function explain(error: MaskinportenError, key: SigningKey | undefined, examination: Examination): Finding {
  const { mpCode, traceId } = error;
  const [topic, complaint] = causeOf(error, key, examination);
  return failed(topic, { ...complaint, mpCode, traceId });
}

function causeOf(
  error: MaskinportenError,
  key: SigningKey | undefined,
  { environment }: Examination,
): readonly [Topic, Complaint] {
  const field = error.failures[0]?.field ?? 'MASKINPORTEN_CLIENT_ID';
  const { code, message, hint: fix, actBy } = error;
  if (code === 'MP_AUDIENCE') return [AUDIENCE, refusedAudience(field)];
  if (code === 'MP_CLIENT_UNKNOWN') return [TOPIC, unknownClient(environment)];
  if (code === 'MP_KEY_EXPIRED') return [KEY, EXPIRED_KEY];
  if (code === 'MP_SIGNATURE') {
    if (field !== 'MASKINPORTEN_KID') return [KEY, OTHER_KEY];
    return [KEY, key?.kid === undefined ? NO_KID : unknownKid(key.kid)];
  }
  if (code === 'MP_CERTIFICATE') {
    if (error.mpCode === 'MP-122') return [CERTIFICATE, wrongOrganisation(key?.certificateOrganisation, undefined)];
    if (key?.x5c !== undefined && isIncomplete(key.x5c)) return [CERTIFICATE, INCOMPLETE_CHAIN];
    return [CERTIFICATE, environment === undefined ? refusedCertificate(error) : wrongEnvironmentOf(environment, key)];
  }
  if (code === 'MP_CLOCK') return [CLOCK, { kind: 'skew', cause: CLOCK_REFUSED, fix, field: 'clock', pitfall: 7 }];
  return [TOPIC, { kind: 'failed', cause: words(message, `Tokenforespørselen feilet: ${message}`), fix, field, actBy }];
}

const CLOCK_REFUSED = words(
  'Maskinporten finds the time of the grant too far from its own.',
  'Maskinporten mener tidspunktet i grantet er for langt fra sin egen klokke.',
);

function refusedAudience(field: string): Complaint {
  return {
    kind: 'environment',
    cause: words(
      'The server at the token endpoint does not take the issuer as its name: they are of different environments, or differ in a character.',
      'Tjeneren på token-endepunktet kjenner seg ikke igjen i issueren: de hører til ulike miljøer, eller er ulike i ett tegn.',
    ),
    fix: words(
      'Use issuer and token endpoint of one environment: set MASKINPORTEN_ENVIRONMENT and remove MASKINPORTEN_TOKEN_ENDPOINT.',
      'Bruk issuer og token-endepunkt fra samme miljø: sett MASKINPORTEN_ENVIRONMENT og fjern MASKINPORTEN_TOKEN_ENDPOINT.',
    ),
    field,
    pitfall: 1,
  };
}

function unknownClient(environment: Examination['environment']): Complaint {
  const fix = words(
    'Copy the client id from the self-service of the environment you call, and see that the client is active there.',
    'Kopier klient-id fra selvbetjeningen for miljøet som kalles, og se at klienten er aktiv der.',
  );
  const field = 'MASKINPORTEN_CLIENT_ID';
  if (environment === undefined) {
    return {
      kind: 'unknown',
      cause: words(
        'Maskinporten does not know the client: it is one of another environment, mistyped, or inactive.',
        'Maskinporten kjenner ikke klienten: den hører til et annet miljø, er feilskrevet eller inaktiv.',
      ),
      fix,
      field,
    };
  }
  const here = NAMES[environment];
  const there = NAMES[otherEnvironment(environment)];
  return {
    kind: environment === 'prod' ? 'test-in-production' : 'production-in-test',
    cause: words(
      `Maskinporten does not know the client in ${here.en}: most likely it is a client of ${there.en}; else the id is mistyped, or the client inactive.`,
      `Maskinporten kjenner ikke klienten i ${here.nb}: mest sannsynlig er det en klient for ${there.nb}; ellers er id-en feilskrevet eller klienten inaktiv.`,
    ),
    fix: words(
      `${fix.en} Clients, keys and accesses are separate in each environment.`,
      `${fix.nb} Klienter, nøkler og tilganger er adskilt mellom miljøene.`,
    ),
    field,
    pitfall: environment === 'prod' ? 13 : 14,
  };
}

const EXPIRED_KEY: Complaint = {
  kind: 'registration-expired',
  cause: words(
    'The registered key has expired: it lives one year from the day it was uploaded.',
    'Den registrerte nøkkelen er utløpt: den varer ett år fra den ble lastet opp.',
  ),
  fix: words(
    'Upload the public key again, or a new one, and set MASKINPORTEN_KEY_REGISTERED_AT to that day, so that you get a warning in time.',
    'Last opp den offentlige nøkkelen på nytt, eller en ny, og sett MASKINPORTEN_KEY_REGISTERED_AT til den dagen, så får dere beskjed i tide.',
  ),
  field: 'MASKINPORTEN_PRIVATE_KEY',
  pitfall: 16,
};

const NO_KID: Complaint = {
  kind: 'kid-missing',
  cause: words(
    'The client has registered keys, and the grant does not name one: no kid is set, so the certificate was sent instead.',
    'Klienten har registrerte nøkler, men grantet navngir ingen: kid er ikke satt, så sertifikatet ble sendt i stedet.',
  ),
  fix: words(
    'Set MASKINPORTEN_KID to the kid that self-service shows for the key.',
    'Sett MASKINPORTEN_KID til kid-en selvbetjeningen viser for nøkkelen.',
  ),
  field: 'MASKINPORTEN_KID',
  pitfall: 12,
};

function unknownKid(kid: string): Complaint {
  return {
    kind: 'kid-unknown',
    cause: words(
      `Maskinporten knows no key with the kid ${kid} on this client.`,
      `Maskinporten kjenner ingen nøkkel med kid ${kid} på denne klienten.`,
    ),
    fix: words(
      'Copy the kid from self-service. A key that was uploaded less than two minutes ago may not be known yet: then try again.',
      'Kopier kid-en fra selvbetjeningen. En nøkkel lastet opp for under to minutter siden kan være ukjent ennå: prøv da igjen.',
    ),
    field: 'MASKINPORTEN_KID',
    pitfall: 11,
  };
}

const OTHER_KEY: Complaint = {
  kind: 'other-key',
  cause: words(
    'The public key that is registered under this kid does not belong to the private key that signs.',
    'Den offentlige nøkkelen som er registrert med denne kid-en, hører ikke til den private nøkkelen som signerer.',
  ),
  fix: words(
    'Upload the public half ("nestjs-maskinporten keys jwk" prints it), or use the private key that was uploaded.',
    'Last opp den offentlige delen («nestjs-maskinporten keys jwk» skriver den), eller bruk den private nøkkelen som hører til.',
  ),
  field: 'MASKINPORTEN_PRIVATE_KEY',
  pitfall: 10,
};

function refusedCertificate({ hint: fix }: MaskinportenError): Complaint {
  return {
    kind: 'refused',
    cause: words(
      'Maskinporten does not accept the certificate: it is not an enterprise certificate, or it is for another environment.',
      'Maskinporten godtar ikke sertifikatet: det er ikke et virksomhetssertifikat, eller det er for et annet miljø.',
    ),
    fix,
    field: 'MASKINPORTEN_PRIVATE_KEY',
  };
}

function wrongEnvironmentOf(
  environment: NonNullable<Examination['environment']>,
  key: SigningKey | undefined,
): Complaint {
  const complaint = wrongEnvironment(environment);
  if (key?.certificateEnvironment !== undefined) return complaint;
  const here = NAMES[environment];
  const there = NAMES[otherEnvironment(environment)];
  return {
    ...complaint,
    cause: words(
      `Maskinporten does not accept the certificate in ${here.en}: it is for ${there.en}, or it is not an enterprise certificate.`,
      `Maskinporten godtar ikke sertifikatet i ${here.nb}: det er for ${there.nb}, eller ikke et virksomhetssertifikat.`,
    ),
  };
}

export const client: Check = {
  ...TOPIC,
  needs: ['audience', 'client-id', 'key', 'certificate', 'expiry', 'uploaded-key', 'issuer', 'clock', 'token-endpoint'],
  run: checkClient,
};
