import { describe, expect, it } from '@jest/globals';
import { createError, ERROR_CODES, MaskinportenError, problemStatus, type MaskinportenErrorCode } from './index.js';

const codes = Object.keys(ERROR_CODES) as MaskinportenErrorCode[];

/** The table of docs/errors.md, and MP_AUDIT (F-133). */
const CATEGORIES = {
  configuration: [
    'MP_CONFIG',
    'MP_CONFIG_ENDPOINT',
    'MP_AUDIENCE',
    'MP_CLIENT_UNKNOWN',
    'MP_REQUEST',
    'MP_SCOPE',
    'MP_SIGNATURE',
    'MP_CERTIFICATE',
    'MP_EGRESS_BLOCKED',
    'MP_NO_CONTEXT',
    'MP_DESTINATION',
    'MP_OAUTH',
  ],
  'credential-expired': ['MP_KEY_EXPIRED', 'MP_CERTIFICATE_EXPIRED'],
  clock: ['MP_CLOCK'],
  replay: ['MP_REPLAY'],
  'access-not-granted': ['MP_NOT_GRANTED', 'MP_SCOPE_NOT_GRANTED'],
  'delegation-missing': ['MP_NOT_DELEGATED'],
  'system-user': ['MP_SYSTEMUSER_MISSING'],
  transient: ['MP_NETWORK', 'MP_TIMEOUT', 'MP_THROTTLED', 'MP_UPSTREAM', 'MP_PROXY', 'MP_AUDIT'],
  security: ['MP_TLS', 'MP_REDIRECT'],
  protocol: ['MP_PROTOCOL', 'MP_UPSTREAM_REJECTED'],
  aborted: ['MP_ABORTED'],
};

/** The statuses of docs/errors.md. */
const STATUSES: Partial<Record<MaskinportenErrorCode, number>> = {
  MP_NETWORK: 503,
  MP_TIMEOUT: 504,
  MP_PROXY: 502,
  MP_EGRESS_BLOCKED: 500,
  MP_TLS: 502,
  MP_REDIRECT: 502,
  MP_PROTOCOL: 502,
  MP_SCOPE_NOT_GRANTED: 500,
  MP_THROTTLED: 503,
  MP_UPSTREAM: 503,
  MP_UPSTREAM_REJECTED: 502,
  MP_CONFIG_ENDPOINT: 500,
  MP_CLIENT_UNKNOWN: 500,
  MP_AUDIENCE: 500,
  MP_CERTIFICATE: 500,
  MP_KEY_EXPIRED: 500,
  MP_SIGNATURE: 500,
  MP_REQUEST: 500,
  MP_REPLAY: 502,
  MP_CLOCK: 500,
  MP_SCOPE: 500,
  MP_NOT_GRANTED: 403,
  MP_NOT_DELEGATED: 403,
  MP_SYSTEMUSER_MISSING: 403,
  MP_OAUTH: 500,
  MP_AUDIT: 503,
};

/** `field` by cause. */
const FIELDS: Partial<Record<MaskinportenErrorCode, string>> = {
  MP_KEY_EXPIRED: 'MASKINPORTEN_PRIVATE_KEY',
  MP_SIGNATURE: 'MASKINPORTEN_PRIVATE_KEY',
  MP_CERTIFICATE: 'MASKINPORTEN_PRIVATE_KEY',
  MP_CERTIFICATE_EXPIRED: 'MASKINPORTEN_PRIVATE_KEY',
  MP_CLIENT_UNKNOWN: 'MASKINPORTEN_CLIENT_ID',
  MP_AUDIENCE: 'MASKINPORTEN_ISSUER',
  MP_CLOCK: 'clock',
  MP_SCOPE: 'scope',
  MP_NETWORK: 'MASKINPORTEN_TOKEN_ENDPOINT',
  MP_TLS: 'MASKINPORTEN_TOKEN_ENDPOINT',
  MP_UPSTREAM: 'MASKINPORTEN_TOKEN_ENDPOINT',
  MP_THROTTLED: 'MASKINPORTEN_TOKEN_ENDPOINT',
  MP_TIMEOUT: 'MASKINPORTEN_TOKEN_ENDPOINT',
};

describe('error codes', () => {
  it('has exactly the codes of the rulings, each in its category', () => {
    const expected = Object.entries(CATEGORIES).flatMap(([category, list]) => list.map((code) => [code, category]));
    expect(Object.fromEntries(codes.map((code) => [code, ERROR_CODES[code].category]))).toEqual(
      Object.fromEntries(expected),
    );
  });

  it.each(Object.entries(STATUSES))('%s escapes to our caller as %i', (code, status) => {
    expect(problemStatus(createError(code as MaskinportenErrorCode, { message: 'x' }))).toBe(status);
  });

  it('F-10: an answer that was cut short is 502, a host that cannot be reached 503', () => {
    expect(problemStatus(createError('MP_NETWORK', { message: 'x', status: 200 }))).toBe(502);
    expect(problemStatus(createError('MP_NETWORK', { message: 'x' }))).toBe(503);
  });

  it.each(Object.entries(FIELDS))('%s blames %s', (code, field) => {
    const { failures } = createError(code as MaskinportenErrorCode, { message: 'why' });
    expect(failures).toEqual([{ field, code, reason: 'why' }]);
  });

  it.each(codes)('%s says what to do in both languages, and neither hint is a copy of the other', (code) => {
    const { hint, field } = ERROR_CODES[code];
    expect(hint.en.length).toBeGreaterThan(10);
    expect(hint.nb.length).toBeGreaterThan(10);
    expect(hint.en).not.toBe(hint.nb);
    expect(hint.en).toMatch(/[.?!]$/);
    expect(hint.nb).toMatch(/[.?!]$/);
    expect(field).not.toBe('');
  });

  it('gives every code a class of its own family whose name ends in Error, and no two codes share a hint', () => {
    const errors = codes.map((code) => createError(code, { message: code }));
    for (const error of errors) {
      expect(error).toBeInstanceOf(MaskinportenError);
      expect(error.name).toBe(error.constructor.name);
      expect(error.name).toMatch(/Error$/);
    }
    expect(new Set(errors.map(({ hint }) => hint.en)).size).toBe(codes.length);
    expect(new Set(errors.map(({ hint }) => hint.nb)).size).toBe(codes.length);
  });

  it('only lets what repetition can cure be retried', () => {
    const retryable = codes.filter((code) => ERROR_CODES[code].retryable);
    const curable = [...CATEGORIES.transient, ...CATEGORIES.clock, ...CATEGORIES.replay, ...CATEGORIES.aborted];
    expect(new Set<string>(retryable)).toEqual(new Set(curable));
  });
});
