// Longer than 250 lines: one table.
/** What kind of thing went wrong; one category has one remedy. */
export type ErrorCategory =
  | 'configuration'
  | 'credential-expired'
  | 'clock'
  | 'replay'
  | 'access-not-granted'
  | 'delegation-missing'
  | 'system-user'
  | 'transient'
  | 'security'
  | 'protocol'
  | 'aborted';

/** Who has to do something before the same call can succeed. */
export type ActBy = 'you' | 'api-owner' | 'customer' | 'digdir';

/** The same sentence in English and Norwegian (bokmål): what to do next. */
export interface Hint {
  readonly en: string;
  readonly nb: string;
}

/** Facts that hold for every error of one code. */
export interface ErrorCodeFacts {
  readonly category: ErrorCategory;
  /** May the same call succeed later without anybody changing anything? */
  readonly retryable: boolean;
  readonly actBy: ActBy;
  /** HTTP status when the error escapes to our own caller (docs/errors.md). */
  readonly httpStatus: number;
  /** The setting, claim or input that caused it, for `failures[].field`. */
  readonly field: string;
  readonly hint: Hint;
}

const TOKEN_ENDPOINT = 'MASKINPORTEN_TOKEN_ENDPOINT';
const PRIVATE_KEY = 'MASKINPORTEN_PRIVATE_KEY';

const facts = {
  MP_CONFIG: {
    category: 'configuration',
    retryable: false,
    actBy: 'you',
    httpStatus: 500,
    field: 'options',
    hint: {
      en: 'Correct the settings listed in failures and start again.',
      nb: 'Rett innstillingene som er listet i failures, og start på nytt.',
    },
  },
  MP_CONFIG_ENDPOINT: {
    category: 'configuration',
    retryable: false,
    actBy: 'you',
    httpStatus: 500,
    field: TOKEN_ENDPOINT,
    hint: {
      en: 'The token endpoint does not exist at that address: check the issuer and the token endpoint.',
      nb: 'Token-endepunktet finnes ikke på den adressen: kontroller issuer og token-endepunkt.',
    },
  },
  MP_AUDIENCE: {
    category: 'configuration',
    retryable: false,
    actBy: 'you',
    httpStatus: 500,
    field: 'MASKINPORTEN_ISSUER',
    hint: {
      en: 'The audience must be the issuer of the same environment, byte for byte, with its trailing slash.',
      nb: 'Audience må være issuer for samme miljø, tegn for tegn, med skråstrek til slutt.',
    },
  },
  MP_CLIENT_UNKNOWN: {
    category: 'configuration',
    retryable: false,
    actBy: 'you',
    httpStatus: 500,
    field: 'MASKINPORTEN_CLIENT_ID',
    hint: {
      en: 'Check that the client id is right, active, and registered in this environment (test and production are separate).',
      nb: 'Kontroller at klient-id er riktig, aktiv og registrert i dette miljøet (test og produksjon er adskilt).',
    },
  },
  MP_REQUEST: {
    category: 'configuration',
    retryable: false,
    actBy: 'you',
    httpStatus: 500,
    field: 'request',
    hint: {
      en: 'Correct the token request: the named field is not one that Maskinporten accepts.',
      nb: 'Rett forespørselen: feltet som er nevnt, godtas ikke av Maskinporten.',
    },
  },
  MP_SCOPE: {
    category: 'configuration',
    retryable: false,
    actBy: 'you',
    httpStatus: 500,
    field: 'scope',
    hint: {
      en: 'Check the spelling and case of the scope, and add it to the client in Digdir self-service.',
      nb: 'Kontroller stavemåten (også store og små bokstaver), og legg scopet til på klienten i selvbetjeningen hos Digdir.',
    },
  },
  MP_SIGNATURE: {
    category: 'configuration',
    retryable: false,
    actBy: 'you',
    httpStatus: 500,
    field: PRIVATE_KEY,
    hint: {
      en: 'The private key does not match the public key registered on the client under this kid: upload the right public key or use the right private key.',
      nb: 'Den private nøkkelen passer ikke med den offentlige nøkkelen som er registrert på klienten med denne kid-en: last opp riktig offentlig nøkkel eller bruk riktig privat nøkkel.',
    },
  },
  MP_CERTIFICATE: {
    category: 'configuration',
    retryable: false,
    actBy: 'you',
    httpStatus: 500,
    field: PRIVATE_KEY,
    hint: {
      en: 'Use an enterprise certificate for this environment that belongs to the organisation that owns the client, with its whole chain.',
      nb: 'Bruk et virksomhetssertifikat for dette miljøet som tilhører organisasjonen som eier klienten, med hele kjeden.',
    },
  },
  MP_EGRESS_BLOCKED: {
    category: 'configuration',
    retryable: false,
    actBy: 'you',
    httpStatus: 500,
    field: TOKEN_ENDPOINT,
    hint: {
      en: 'An egress policy in your own network stopped the call: open it for the token endpoint.',
      nb: 'En regel for utgående trafikk i eget nett stoppet kallet: åpne for token-endepunktet.',
    },
  },
  MP_NO_CONTEXT: {
    category: 'configuration',
    retryable: false,
    actBy: 'you',
    httpStatus: 500,
    field: 'scopes',
    hint: {
      en: 'Say which scopes the call needs: @Scopes on the handler, MaskinportenContext.run, or the maskinporten request option.',
      nb: 'Si hvilke scopes kallet trenger: @Scopes på handleren, MaskinportenContext.run eller valget maskinporten på kallet.',
    },
  },
  MP_DESTINATION: {
    category: 'configuration',
    retryable: false,
    actBy: 'you',
    httpStatus: 500,
    field: 'MASKINPORTEN_DESTINATIONS',
    hint: {
      en: 'Add the origin to destinations if it may receive your tokens; call public APIs through the ordinary HttpModule.',
      nb: 'Legg adressen til i destinations hvis den skal få tokens; kall åpne API-er gjennom vanlig HttpModule.',
    },
  },
  MP_OAUTH: {
    category: 'configuration',
    retryable: false,
    actBy: 'you',
    httpStatus: 500,
    field: 'MASKINPORTEN_CLIENT_ID',
    hint: {
      en: 'Maskinporten refused the request with a reason that has no code: read the description and give the trace id to servicedesk@digdir.no.',
      nb: 'Maskinporten avviste forespørselen uten feilkode: les beskrivelsen og oppgi trace-id til servicedesk@digdir.no.',
    },
  },
  MP_KEY_EXPIRED: {
    category: 'credential-expired',
    retryable: false,
    actBy: 'you',
    httpStatus: 500,
    field: PRIVATE_KEY,
    hint: {
      en: 'The registered key has expired (it lives one year): register it again or rotate to a new key.',
      nb: 'Den registrerte nøkkelen er utløpt (den varer ett år): registrer den på nytt eller bytt til en ny nøkkel.',
    },
  },
  MP_CERTIFICATE_EXPIRED: {
    category: 'credential-expired',
    retryable: false,
    actBy: 'you',
    httpStatus: 500,
    field: PRIVATE_KEY,
    hint: {
      en: 'The enterprise certificate has expired: order and install a new one.',
      nb: 'Virksomhetssertifikatet er utløpt: bestill og ta i bruk et nytt.',
    },
  },
  MP_CLOCK: {
    category: 'clock',
    retryable: true,
    actBy: 'you',
    httpStatus: 500,
    field: 'clock',
    hint: {
      en: 'The clock of this machine differs from Maskinporten by more than the 10 seconds it accepts: turn on time synchronisation.',
      nb: 'Klokken på denne maskinen avviker mer enn de 10 sekundene Maskinporten godtar: slå på tidssynkronisering.',
    },
  },
  MP_REPLAY: {
    category: 'replay',
    retryable: true,
    actBy: 'you',
    httpStatus: 502,
    field: 'jti',
    hint: {
      en: 'An assertion was seen twice: look for a proxy that repeats requests.',
      nb: 'Samme assertion ble sett to ganger: se etter en proxy som gjentar forespørsler.',
    },
  },
  MP_NOT_GRANTED: {
    category: 'access-not-granted',
    retryable: false,
    actBy: 'api-owner',
    httpStatus: 403,
    field: 'scope',
    hint: {
      en: 'Ask the API owner to grant the scope to your organisation; when you act for a customer, check that consumerOrg is set.',
      nb: 'Be API-eieren gi organisasjonen tilgang til scopet; handler du for en kunde, kontroller at consumerOrg er satt.',
    },
  },
  MP_SCOPE_NOT_GRANTED: {
    category: 'access-not-granted',
    retryable: false,
    actBy: 'api-owner',
    httpStatus: 500,
    field: 'scope',
    hint: {
      en: 'The token came back with fewer scopes than were asked for: ask the API owner about the missing ones.',
      nb: 'Tokenet kom tilbake med færre scopes enn det ble bedt om: spør API-eieren om de som mangler.',
    },
  },
  MP_NOT_DELEGATED: {
    category: 'delegation-missing',
    retryable: false,
    actBy: 'customer',
    httpStatus: 403,
    field: 'consumer_org',
    hint: {
      en: 'The customer must delegate the scope to your organisation in Altinn.',
      nb: 'Kunden må delegere scopet til organisasjonen din i Altinn.',
    },
  },
  MP_SYSTEMUSER_MISSING: {
    category: 'system-user',
    retryable: false,
    actBy: 'customer',
    httpStatus: 403,
    field: 'systemUser',
    hint: {
      en: 'The customer has no approved system user for this system: send a request for one, and repeat the externalRef it was created with.',
      nb: 'Kunden har ingen godkjent systembruker for dette systemet: send en forespørsel, og gjenta den externalRef den ble opprettet med.',
    },
  },
  MP_NETWORK: {
    category: 'transient',
    retryable: true,
    actBy: 'you',
    httpStatus: 503,
    field: TOKEN_ENDPOINT,
    hint: {
      en: 'Maskinporten could not be reached: check DNS, firewall and proxy, then status.digdir.no.',
      nb: 'Maskinporten kunne ikke nås: kontroller DNS, brannmur og proxy, deretter status.digdir.no.',
    },
  },
  MP_TIMEOUT: {
    category: 'transient',
    retryable: true,
    actBy: 'digdir',
    httpStatus: 504,
    field: TOKEN_ENDPOINT,
    hint: {
      en: 'Maskinporten did not answer in time: try again later and look at status.digdir.no.',
      nb: 'Maskinporten svarte ikke i tide: prøv igjen senere og se på status.digdir.no.',
    },
  },
  MP_THROTTLED: {
    category: 'transient',
    retryable: true,
    actBy: 'you',
    httpStatus: 503,
    field: TOKEN_ENDPOINT,
    hint: {
      en: 'Too many requests: wait as long as retryAfterMs says, and share tokens between calls.',
      nb: 'For mange forespørsler: vent så lenge retryAfterMs sier, og del tokens mellom kall.',
    },
  },
  MP_UPSTREAM: {
    category: 'transient',
    retryable: true,
    actBy: 'digdir',
    httpStatus: 503,
    field: TOKEN_ENDPOINT,
    hint: {
      en: 'Maskinporten has a fault of its own: try again later and look at status.digdir.no.',
      nb: 'Maskinporten har en feil hos seg: prøv igjen senere og se på status.digdir.no.',
    },
  },
  MP_PROXY: {
    category: 'transient',
    retryable: true,
    actBy: 'you',
    httpStatus: 502,
    field: TOKEN_ENDPOINT,
    hint: {
      en: 'The proxy between you and Maskinporten refused the call: check its address and credentials.',
      nb: 'Proxyen mellom deg og Maskinporten avviste kallet: kontroller adressen og påloggingen.',
    },
  },
  MP_AUDIT: {
    category: 'transient',
    retryable: true,
    actBy: 'you',
    httpStatus: 503,
    field: 'audit',
    hint: {
      en: 'The audit log cannot be written, so nothing was done on behalf of anybody: check its database, then try again.',
      nb: 'Revisjonsloggen kan ikke skrives, så ingenting ble gjort på vegne av noen: kontroller databasen dens, og prøv igjen.',
    },
  },
  MP_TLS: {
    category: 'security',
    retryable: false,
    actBy: 'you',
    httpStatus: 502,
    field: TOKEN_ENDPOINT,
    hint: {
      en: 'The server could not prove who it is: check the trust store and whether something intercepts TLS. Never turn the check off.',
      nb: 'Tjeneren kunne ikke bevise hvem den er: kontroller tillitslageret og om noe avskjærer TLS. Slå aldri av kontrollen.',
    },
  },
  MP_REDIRECT: {
    category: 'security',
    retryable: false,
    actBy: 'you',
    httpStatus: 502,
    field: TOKEN_ENDPOINT,
    hint: {
      en: 'The token endpoint answered with a redirect, which is never followed: check the address.',
      nb: 'Token-endepunktet svarte med en omdirigering, som aldri følges: kontroller adressen.',
    },
  },
  MP_PROTOCOL: {
    category: 'protocol',
    retryable: false,
    actBy: 'digdir',
    httpStatus: 502,
    field: TOKEN_ENDPOINT,
    hint: {
      en: 'The answer was not a token response: check that the address is the token endpoint and that nothing rewrites it.',
      nb: 'Svaret var ikke et tokensvar: kontroller at adressen er token-endepunktet, og at ingenting skriver det om.',
    },
  },
  MP_UPSTREAM_REJECTED: {
    category: 'protocol',
    retryable: false,
    actBy: 'you',
    httpStatus: 502,
    field: TOKEN_ENDPOINT,
    hint: {
      en: 'Something in front of Maskinporten refused the call: check gateways and firewalls on the way.',
      nb: 'Noe foran Maskinporten avviste kallet: kontroller gatewayer og brannmurer på veien.',
    },
  },
  MP_ABORTED: {
    category: 'aborted',
    retryable: true,
    actBy: 'you',
    httpStatus: 499,
    field: 'signal',
    hint: {
      en: 'The caller stopped waiting.',
      nb: 'Den som kalte, sluttet å vente.',
    },
  },
} as const satisfies Record<string, ErrorCodeFacts>;

/** Every code an error of this module can carry. Adding one is a minor change, changing one a major. */
export type MaskinportenErrorCode = keyof typeof facts;

/** All codes with what holds for each; the documentation's error table is made from it. Every error of a code shares its hint. */
export const ERROR_CODES: Readonly<Record<MaskinportenErrorCode, ErrorCodeFacts>> = facts;

for (const shared of Object.values(facts)) Object.freeze(shared.hint);
