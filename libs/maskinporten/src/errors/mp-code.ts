import type { MaskinportenErrorCode } from './error-code.js';
import type { ErrorDetails } from './maskinporten-error.js';

/** How one documented refusal of Maskinporten is passed on to our callers. Source: Digdir, troubleshooting. */
export interface Refusal {
  readonly code: MaskinportenErrorCode;
  readonly summary: string;
  readonly details?: Pick<ErrorDetails, 'field' | 'hint' | 'actBy'>;
}

export const requestHint = (en: string, nb: string): Pick<ErrorDetails, 'hint'> => ({
  hint: Object.freeze({ en, nb }),
});

/** Every MP code Digdir documents or that was seen; https://docs.digdir.no/docs/Maskinporten/maskinporten_feilsoking */
export const MP_CODES = {
  'MP-011': {
    code: 'MP_REQUEST',
    summary: 'the assertion is malformed',
    details: {
      field: 'assertion',
      ...requestHint(
        'Something changed the assertion on its way, or a claim has a value Maskinporten does not accept.',
        'Noe endret assertion underveis, eller et claim har en verdi Maskinporten ikke godtar.',
      ),
    },
  },
  'MP-012': { code: 'MP_REPLAY', summary: 'the grant was used before' },
  'MP-100': { code: 'MP_CLIENT_UNKNOWN', summary: 'the client is unknown or inactive in this environment' },
  'MP-110': { code: 'MP_AUDIENCE', summary: 'the audience is not the issuer of this environment' },
  'MP-120': {
    code: 'MP_CERTIFICATE',
    summary: 'the certificate is not acceptable in this environment',
    details: requestHint(
      'Use an enterprise certificate of the same environment: test certificates in test, production certificates in production.',
      'Bruk et virksomhetssertifikat for samme miljø: testsertifikat i test, produksjonssertifikat i produksjon.',
    ),
  },
  'MP-121': { code: 'MP_KEY_EXPIRED', summary: 'the registered key has expired' },
  'MP-122': {
    code: 'MP_CERTIFICATE',
    summary: 'the certificate belongs to another organisation than the client',
    details: requestHint(
      'Sign with a certificate of the organisation that owns the client, or register the client under the organisation of the certificate.',
      'Signer med et sertifikat for organisasjonen som eier klienten, eller registrer klienten på organisasjonen i sertifikatet.',
    ),
  },
  'MP-123': {
    code: 'MP_CERTIFICATE',
    summary: 'the x5c header is not an array of certificates',
    details: requestHint(
      'x5c must be an array of base64 certificates, leaf first.',
      'x5c må være en liste med base64-sertifikater, bladsertifikatet først.',
    ),
  },
  'MP-124': { code: 'MP_SIGNATURE', summary: 'the signature does not verify' },
  'MP-130': { code: 'MP_CLOCK', summary: 'the assertion had expired when it arrived' },
  'MP-200': { code: 'MP_SCOPE', summary: 'a scope is misspelt, does not exist or is not registered on the client' },
  'MP-201': {
    code: 'MP_SCOPE',
    summary: 'a scope may not be used by Maskinporten clients',
    details: requestHint(
      'The scope is meant for another kind of client (user login): choose a scope for machine-to-machine use.',
      'Scopet er ment for en annen type klient (brukerinnlogging): velg et scope for maskin-til-maskin.',
    ),
  },
  'MP-250': { code: 'MP_NOT_GRANTED', summary: 'the organisation has not been granted the scope' },
  'MP-251': { code: 'MP_NOT_DELEGATED', summary: 'the customer has not delegated the scope' },
  'MP-301': {
    code: 'MP_REQUEST',
    summary: 'the type of authorization_details is unknown',
    details: { field: 'authorization_details' },
  },
  'MP-302': {
    code: 'MP_REQUEST',
    summary: 'authorization_details has an unknown field or an externalRef that is not allowed',
    details: { field: 'authorization_details' },
  },
  'MP-303': { code: 'MP_SYSTEMUSER_MISSING', summary: 'there is no usable system user for the organisation' },
} as const satisfies Readonly<Record<string, Refusal>>;
