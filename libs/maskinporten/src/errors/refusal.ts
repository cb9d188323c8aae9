import { MP_CODES, requestHint, type Refusal } from './mp-code.js';

/** Seen without an MP code, and possible behind MP-011 as well (F-55): only these words say that it is this. */
const CONSUMER_ORG_WORDS = /combination consumer_org\b/i;
const CONSUMER_ORG: Refusal = {
  code: 'MP_REQUEST',
  summary: 'consumer_org is the own organisation, or the scope cannot be delegated',
  details: {
    field: 'consumer_org',
    ...requestHint(
      'Leave consumerOrg out when you act for your own organisation.',
      'Utelat consumerOrg når du handler for egen organisasjon.',
    ),
  },
};
const AUTHORIZATION_DETAILS: Refusal = {
  code: 'MP_REQUEST',
  summary: 'authorization_details is not accepted',
  details: { field: 'authorization_details' },
};
const UNKNOWN_KID: Refusal = {
  code: 'MP_SIGNATURE',
  summary: 'the kid is not registered on the client',
  details: {
    field: 'MASKINPORTEN_KID',
    ...requestHint(
      'Use the kid that self-service shows for the key; a key registered less than two minutes ago may not be known yet.',
      'Bruk kid-en som selvbetjeningen viser for nøkkelen; en nøkkel registrert for under to minutter siden kan være ukjent ennå.',
    ),
  },
};
const NO_KID: Refusal = {
  code: 'MP_SIGNATURE',
  summary: 'the client has registered keys, so the grant must name one by kid',
  details: {
    field: 'MASKINPORTEN_KID',
    ...requestHint(
      'Set the kid that self-service shows for the key.',
      'Sett kid-en som selvbetjeningen viser for nøkkelen.',
    ),
  },
};
const ISSUED_IN_FUTURE: Refusal = { code: 'MP_CLOCK', summary: 'the assertion was issued in the future' };
const CLIENT_REFUSED: Refusal = { code: 'MP_CLIENT_UNKNOWN', summary: 'the client may not use this grant' };
const RESOURCE: Refusal = {
  code: 'MP_REQUEST',
  summary: 'resource is not an absolute URI without fragment',
  details: { field: 'resource' },
};
const INVALID_REQUEST: Refusal = {
  code: 'MP_REQUEST',
  summary: 'something in it is not valid',
  details: { field: 'assertion' },
};
const OTHER_GRANT: Refusal = { code: 'MP_OAUTH', summary: 'the grant was refused' };
const OTHER: Refusal = { code: 'MP_OAUTH', summary: 'it did not say why in a way that is known' };

type Row = readonly [text: RegExp | null, refusal: Refusal];

/**
 * Refusals that come without an MP code (Digdir, troubleshooting): the OAuth `error` decides first, the text only between
 * refusals of that error. `null` stands for any text.
 */
const BY_OAUTH_ERROR: Readonly<Record<string, readonly Row[]>> = {
  invalid_grant: [
    [/unknown key identifier/i, UNKNOWN_KID],
    [/no key identifier/i, NO_KID],
    [/issue time is after now/i, ISSUED_IN_FUTURE],
    [/grant is used before/i, MP_CODES['MP-012']],
    [/jwt is expired/i, MP_CODES['MP-130']],
    [/expired key/i, MP_CODES['MP-121']],
    [/claim aud/i, MP_CODES['MP-110']],
    [/invalid certificate/i, MP_CODES['MP-120']],
    [/certificate orgno|organization number for client/i, MP_CODES['MP-122']],
    [/jwt header x5c/i, MP_CODES['MP-123']],
    [/invalid jwt signature/i, MP_CODES['MP-124']],
    [/client not found/i, MP_CODES['MP-100']],
    [null, OTHER_GRANT],
  ],
  invalid_client: [[null, MP_CODES['MP-100']]],
  unauthorized_client: [[null, CLIENT_REFUSED]],
  invalid_scope: [
    [/not allowed for maskinporten/i, MP_CODES['MP-201']],
    [null, MP_CODES['MP-200']],
  ],
  forbidden: [
    [/has not delegated/i, MP_CODES['MP-251']],
    [null, MP_CODES['MP-250']],
  ],
  invalid_altinn_customer_configuration: [[null, MP_CODES['MP-303']]],
  invalid_target: [[null, RESOURCE]],
  invalid_request: [
    [CONSUMER_ORG_WORDS, CONSUMER_ORG],
    [/authorization.details/i, { ...AUTHORIZATION_DETAILS, summary: INVALID_REQUEST.summary }],
    [null, INVALID_REQUEST],
  ],
  invalid_authorization_details: [[null, AUTHORIZATION_DETAILS]],
};

/**
 * Classifies on the MP code, then on `error`, and looks at the English text only to tell apart refusals of one of them. A
 * text that is not known explains nothing: what is certain then is the `error`, and the server's own words are shown.
 */
export function refusalOf(mpCode: string | undefined, oauthError: string, description: string | undefined): Refusal {
  if (mpCode !== undefined && Object.hasOwn(MP_CODES, mpCode)) {
    const known: Refusal = MP_CODES[mpCode as keyof typeof MP_CODES];
    return mpCode === 'MP-011' && CONSUMER_ORG_WORDS.test(description ?? '') ? CONSUMER_ORG : known;
  }
  const rows = Object.hasOwn(BY_OAUTH_ERROR, oauthError) ? BY_OAUTH_ERROR[oauthError] : undefined;
  const [text, refusal] = rows?.find(([pattern]) => pattern === null || pattern.test(description ?? '')) ?? [
    null,
    OTHER,
  ];
  return text === null && description !== undefined ? { ...refusal, summary: oauthError } : refusal;
}
