import { describe, expect, it } from '@jest/globals';
import { decodeOAuthError, isOAuthErrorBody, MP_CODES, TROUBLESHOOTING_URL } from './index.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

interface Row {
  readonly id: string;
  readonly text: string;
  readonly mp?: string;
  readonly error: string;
  readonly status?: number;
  readonly code: string;
  readonly category: string;
  readonly retryable?: boolean;
  readonly actBy?: string;
  readonly field: string;
}

const grant = (
  id: string,
  text: string,
  mp: string | undefined,
  code: string,
  category: string,
  field: string,
): Row => ({
  id,
  text,
  error: 'invalid_grant',
  code,
  category,
  field,
  ...(mp === undefined ? {} : { mp }),
});
const configuration = 'configuration';
const KEY = 'MASKINPORTEN_PRIVATE_KEY';
const KID = 'MASKINPORTEN_KID';

/** Digdir, troubleshooting, row by row. */
// prettier-ignore
const ROWS: readonly Row[] = [
  { id: 'F-55', text: 'Invalid assertion. Invalid parameter value', mp: 'MP-011', error: 'invalid_request', code: 'MP_REQUEST', category: configuration, field: 'assertion' },
  { id: 'F-55', text: 'Invalid assertion. Unknown claim', error: 'invalid_request', code: 'MP_REQUEST', category: configuration, field: 'assertion' },
  { ...grant('F-56', 'Grant is used before', 'MP-012', 'MP_REPLAY', 'replay', 'jti'), retryable: true },
  grant('F-50', 'Invalid assertion. Client authentication failed. Client not found', 'MP-100', 'MP_CLIENT_UNKNOWN', configuration, 'MASKINPORTEN_CLIENT_ID'),
  grant('F-51', 'Client authentication failed. Invalid JWT claim aud', 'MP-110', 'MP_AUDIENCE', configuration, 'MASKINPORTEN_ISSUER'),
  grant('F-52', 'Client authentication failed. The JWT is signed with an invalid certificate', 'MP-120', 'MP_CERTIFICATE', configuration, KEY),
  grant('F-53', 'Invalid assertion. Client authentication failed. Expired key.', 'MP-121', 'MP_KEY_EXPIRED', 'credential-expired', KEY),
  grant('F-52', 'Invalid organization number for client. Does not match certificate orgno', 'MP-122', 'MP_CERTIFICATE', configuration, KEY),
  grant('F-52', 'Invalid JWT header x5c', 'MP-123', 'MP_CERTIFICATE', configuration, KEY),
  grant('F-54', 'Client authentication failed. Invalid JWT signature', 'MP-124', 'MP_SIGNATURE', configuration, KEY),
  grant('F-54', 'Client authentication failed. Unknown key identifier (kid) for client', undefined, 'MP_SIGNATURE', configuration, KID),
  grant('F-54', 'Invalid JWT. The client requires pre-registered jwk and no key identifier (kid) provided', undefined, 'MP_SIGNATURE', configuration, KID),
  { ...grant('F-57', 'JWT is expired', 'MP-130', 'MP_CLOCK', 'clock', 'clock'), retryable: true },
  { ...grant('F-57', 'Issue time is after now', undefined, 'MP_CLOCK', 'clock', 'clock'), retryable: true },
  { id: 'F-58', text: 'Token request contains invalid scopes for client, altinn:serviceowners/read', mp: 'MP-200', error: 'invalid_scope', code: 'MP_SCOPE', category: configuration, field: 'scope' },
  { id: 'F-58', text: 'Token request contains scopes not allowed for maskinporten', mp: 'MP-201', error: 'invalid_scope', code: 'MP_SCOPE', category: configuration, field: 'scope' },
  { id: 'F-59', text: 'Consumer has not been granted access to the scope a:b', mp: 'MP-250', error: 'forbidden', status: 403, code: 'MP_NOT_GRANTED', category: 'access-not-granted', actBy: 'api-owner', field: 'scope' },
  { id: 'F-60', text: 'Consumer 310000027 has not delegated access to the scope a:b to supplier 310000019.', mp: 'MP-251', error: 'forbidden', status: 403, code: 'MP_NOT_DELEGATED', category: 'delegation-missing', actBy: 'customer', field: 'consumer_org' },
  { id: 'F-55', text: 'Validation of JWT claim failed: The combination consumer_org in claim and delegation scope on client is invalid', error: 'invalid_request', code: 'MP_REQUEST', category: configuration, field: 'consumer_org' },
  { id: 'F-61', text: 'Unknown authorization details type', mp: 'MP-301', error: 'invalid_request', code: 'MP_REQUEST', category: configuration, field: 'authorization_details' },
  { id: 'F-61', text: 'Unknown fields in the authorization details', mp: 'MP-302', error: 'invalid_authorization_details', code: 'MP_REQUEST', category: configuration, field: 'authorization_details' },
  { id: 'F-62', text: 'No system user for 310000027', mp: 'MP-303', error: 'invalid_altinn_customer_configuration', code: 'MP_SYSTEMUSER_MISSING', category: 'system-user', actBy: 'customer', field: 'systemUser' },
  { id: 'F-61', text: 'resource is not an absolute URI', error: 'invalid_target', code: 'MP_REQUEST', category: configuration, field: 'resource' },
  { id: 'F-50', text: 'no such client', error: 'invalid_client', status: 401, code: 'MP_CLIENT_UNKNOWN', category: configuration, field: 'MASKINPORTEN_CLIENT_ID' },
  { id: 'F-50', text: 'not for you', error: 'unauthorized_client', code: 'MP_CLIENT_UNKNOWN', category: configuration, field: 'MASKINPORTEN_CLIENT_ID' },
  { id: 'F-63', text: 'something else', error: 'invalid_grant', code: 'MP_OAUTH', category: configuration, field: 'MASKINPORTEN_CLIENT_ID' },
  { id: 'F-63', text: 'something else', error: 'access_denied', code: 'MP_OAUTH', category: configuration, field: 'MASKINPORTEN_CLIENT_ID' },
];

const body = (row: Row, withCode: boolean): Record<string, unknown> & { error: string } => ({
  error: row.error,
  error_description: `${row.text} (trace_id: ${TRACE})`,
  ...(withCode ? { error_uri: `https://test.maskinporten.no/errors/${row.mp}` } : {}),
});

function expectDecoded(row: Row, withCode: boolean): void {
  const { status = 400, code, category, retryable = false, actBy = 'you', field, error: oauthError } = row;
  const error = decodeOAuthError(status, body(row, withCode));
  expect(error.toJSON()).toMatchObject({ code, category, retryable, actBy, status, oauthError, traceId: TRACE });
  expect(error.failures).toEqual([{ field, code, reason: error.message }]);
  expect(error.mpCode).toBe(withCode ? row.mp : undefined);
  expect(error.description).toBe(`${row.text} (trace_id: ${TRACE})`);
  expect(error.hint.en).not.toBe('');
  expect(error.hint.nb).not.toBe('');
  expect(error.docs).toMatch(/^https:\/\/docs\.(digdir\.no|altinn\.studio)\//);
}

describe('decodeOAuthError', () => {
  const coded = ROWS.filter(({ mp }) => mp !== undefined);

  it.each(coded)('$id: $mp $error is $code', (row) => expectDecoded(row, true));
  it.each(ROWS)('$id: $error "$text" without an MP code is $code', (row) => expectDecoded(row, false));

  it('knows every code of the table, each with its own summary', () => {
    expect(new Set(Object.keys(MP_CODES))).toEqual(new Set(coded.map(({ mp }) => mp)));
    expect(new Set(Object.values(MP_CODES).map(({ summary }) => summary)).size).toBe(coded.length);
  });

  it('F-55: MP-011 that speaks of consumer_org blames consumer_org', () => {
    const error_description = 'Validation of JWT claim failed: The combination consumer_org in claim is invalid';
    const error = decodeOAuthError(400, { error: 'invalid_request', error_description, error_uri: 'x/MP-011' });
    expect(error).toMatchObject({ code: 'MP_REQUEST', failures: [{ field: 'consumer_org' }] });
  });

  it.each([
    ['Claims consumer_org and iss_onbehalfof cannot be combined', undefined],
    ['Claim consumer_org is not an organisation number', 'x/MP-011'],
  ])('F-55: what merely mentions consumer_org (%j) is not explained, but shown', (error_description, error_uri) => {
    const error = decodeOAuthError(400, { error: 'invalid_request', error_description, error_uri });
    expect(error).toMatchObject({ code: 'MP_REQUEST', failures: [{ field: 'assertion' }] });
    expect(error.message).toContain(`It said: "${error_description}"`);
    expect(`${error.message} ${error.hint.en}`).not.toMatch(/own organisation|cannot be delegated/);
  });

  it.each([
    ['invalid_request', 'Requests of this kind are closed on Sundays'],
    ['invalid_scope', 'Scope has been paused by its owner'],
    ['forbidden', 'The client is locked'],
    ['invalid_client', 'Contract has ended'],
    ['invalid_grant', 'A rule from next year'],
    ['a_new_error', 'In a way that nobody knew'],
  ])('shows the words of a %s that is not known, and claims no cause', (error, words) => {
    const { message, failures } = decodeOAuthError(400, { error, error_description: `${words} (trace_id: ${TRACE})` });
    const known = error === 'a_new_error' ? 'unknown_error' : error;
    expect(message).toBe(`Maskinporten refused the request: ${known}. It said: "${words}"`);
    expect(failures[0]?.reason).toBe(message);
  });

  it('T-05, T-57: the words are cleaned before they are shown', () => {
    const error_description = `see "eyJhbGciOiJSUzI1NiJ9.abc.def" of\u202E 010190 12345\r\nX: y`;
    const { message } = decodeOAuthError(400, { error: 'invalid_request', error_description });
    expect(message).toBe(
      'Maskinporten refused the request: invalid_request. It said: "see [redacted] of [redacted]X: y"',
    );
  });

  it('takes the code before the OAuth error and the text', () => {
    const error_description = 'has not delegated access. Invalid JWT signature';
    const error = decodeOAuthError(400, { error: 'invalid_scope', error_description, error_uri: 'x/MP-303' });
    expect(error.code).toBe('MP_SYSTEMUSER_MISSING');
  });

  it.each([
    ['https://maskinporten.no/errors/MP-250', 'MP-250'],
    ['https://maskinporten.no/errors/MP_302', 'MP-302'],
    ['MP-1234', undefined],
    [42, undefined],
  ])('reads the code out of error_uri %p', (error_uri, mpCode) => {
    expect(decodeOAuthError(400, { error: 'x', error_uri }).mpCode).toBe(mpCode);
  });

  it('finds a code in the description when error_uri has none', () => {
    const error_description = 'Nope, see MP_302';
    expect(decodeOAuthError(400, { error: 'x', error_description, error_uri: 'https://a/b' }).mpCode).toBe('MP-302');
  });

  it('keeps a code it does not know, and classifies on the OAuth error then', () => {
    const error = decodeOAuthError(400, { error: 'invalid_scope', error_uri: 'x/MP-999' });
    expect(error).toMatchObject({ mpCode: 'MP-999', code: 'MP_SCOPE' });
  });

  it('decodes an answer that has an OAuth error and nothing else', () => {
    for (const [error, code] of [
      ['forbidden', 'MP_NOT_GRANTED'],
      ['made_up', 'MP_OAUTH'],
      ['invalid_grant', 'MP_OAUTH'],
    ] as const) {
      expect(decodeOAuthError(400, { error })).toMatchObject({ code });
    }
    expect(decodeOAuthError(400, { error: 'invalid_request', error_uri: 'x/MP-011' }).failures[0]?.field).toBe(
      'assertion',
    );
  });

  it('reads the keys with a space that Skyporten writes', () => {
    const error = decodeOAuthError(400, { error: 'x', 'error description': 'Hei', 'error uri': 'x/MP-200' });
    expect(error).toMatchObject({ description: 'Hei', mpCode: 'MP-200' });
  });

  it.each([
    ['(trace_id: 0af7651916cd43dd8448eb211c80319c)', '0af7651916cd43dd8448eb211c80319c'],
    ['(correlation id: 2f0c5a0e-6a39-4d83-8f6b-0c9be1a2f9ad)', '2f0c5a0e-6a39-4d83-8f6b-0c9be1a2f9ad'],
    ['(trace_id: <script>alert(1)</script>)', undefined],
    ['no id', undefined],
  ])('finds the trace id in %s', (text, traceId) => {
    expect(decodeOAuthError(400, { error: 'x', error_description: text }).traceId).toBe(traceId);
  });

  it('T-05, S-08: an error value outside the closed set becomes unknown_error', () => {
    const error = decodeOAuthError(400, { error: 'eyJhbGciOiJSUzI1NiJ9.secret.secret' });
    expect(error).toMatchObject({ oauthError: 'unknown_error', code: 'MP_OAUTH', docs: TROUBLESHOOTING_URL });
    expect(JSON.stringify(error)).not.toContain('eyJ');
  });

  it('T-66: reads own members of the answer only', () => {
    const polluted = Object.create({ error_description: 'planted', error_uri: 'x/MP-200' }) as Record<
      string,
      unknown
    > & { error: string };
    polluted.error = 'invalid_grant';
    const error = decodeOAuthError(400, polluted);
    expect(error).toMatchObject({ code: 'MP_OAUTH' });
    expect(error.description).toBeUndefined();
  });
});

describe('isOAuthErrorBody', () => {
  it.each([null, undefined, 'text', 7, [], ['error'], {}, { error: 1 }, Object.create({ error: 'x' })])(
    'refuses %p',
    (value) => expect(isOAuthErrorBody(value)).toBe(false),
  );

  it('accepts an object with a text in error', () => {
    expect(isOAuthErrorBody({ error: 'x' })).toBe(true);
  });
});
