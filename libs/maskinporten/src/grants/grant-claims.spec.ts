import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { ASSERTION_LIFETIME_SECONDS, grantClaims, normaliseTokenRequest, type TokenRequestInput } from './index.js';
import { validRequests } from './grants.fixtures.js';

const facts = {
  issuer: 'https://test.maskinporten.no/',
  clientId: '0c1f0a52-6a0e-4b56-9d5c-3a7a52b9b6a1',
  nowMs: 1_795_000_000_999,
  jti: '5b2f3b0e-52c7-4a7b-b6c9-0c1f8f3f2b11',
};
const claims = (input: TokenRequestInput): unknown =>
  JSON.parse(JSON.stringify(grantClaims(normaliseTokenRequest(input), facts)));
const basic = {
  aud: 'https://test.maskinporten.no/',
  iss: '0c1f0a52-6a0e-4b56-9d5c-3a7a52b9b6a1',
  iat: 1_795_000_000,
  exp: 1_795_000_100,
  jti: '5b2f3b0e-52c7-4a7b-b6c9-0c1f8f3f2b11',
};
/** Digdir, JWT grant, and nothing else. */
const DOCUMENTED = new Set([
  'aud',
  'iss',
  'scope',
  'iat',
  'exp',
  'jti',
  'resource',
  'consumer_org',
  'pid',
  'authorization_details',
]);

describe('grantClaims', () => {
  it('S-01: a plain grant has the six claims and nothing more', () => {
    expect(claims('b:x a:y')).toEqual({ ...basic, scope: 'a:y b:x' });
  });

  it('S-18: a system user', () => {
    expect(
      claims({ scopes: 'a', systemUser: { organisation: '310000027', externalRef: '310000027_payroll' } }),
    ).toEqual({
      ...basic,
      scope: 'a',
      authorization_details: [
        {
          type: 'urn:altinn:systemuser',
          systemuser_org: { authority: 'iso6523-actorid-upis', ID: '0192:310000027' },
          externalRef: '310000027_payroll',
        },
      ],
    });
    expect(claims({ scopes: 'a', systemUser: { organisation: '310000027' } })).toHaveProperty('authorization_details', [
      { type: 'urn:altinn:systemuser', systemuser_org: { authority: 'iso6523-actorid-upis', ID: '0192:310000027' } },
    ]);
  });

  it('S-18: a consent, for oneself or for a customer', () => {
    const consent = { id: '6f1c1a52-6a0e-4b56-9d5c-3a7a52b9b6a1', from: 'urn:altinn:person:identifier-no:01819000391' };
    expect(claims({ scopes: 'a', consent, consumerOrg: '310000027' })).toEqual({
      ...basic,
      scope: 'a',
      consumer_org: '310000027',
      authorization_details: [{ type: 'urn:altinn:consent', ...consent }],
    });
  });

  it('resource is a list, consumer_org the bare number, pid a text', () => {
    expect(
      claims({ scopes: 'a', resource: 'https://x.no/', consumerOrg: '0192:310000027', pid: '01819000391' }),
    ).toEqual({
      ...basic,
      scope: 'a',
      resource: ['https://x.no/'],
      consumer_org: '310000027',
      pid: '01819000391',
    });
  });

  it('S-05, T-29: the audience is the configured issuer as one string, byte for byte', () => {
    for (const issuer of ['https://maskinporten.no/', 'https://test.sky.maskinporten.no']) {
      expect(grantClaims(normaliseTokenRequest('a'), { ...facts, issuer }).aud).toBe(issuer);
    }
  });

  it('S-02, S-03: documented claims only, within the limits, at any time', () => {
    fc.assert(
      fc.property(validRequests, fc.double({ min: 0, max: 4e12, noNaN: true }), (request, nowMs) => {
        const made = grantClaims(normaliseTokenRequest(request), { ...facts, nowMs });
        for (const name of Object.keys(made)) expect(DOCUMENTED).toContain(name);
        expect(Object.values(made)).not.toContain(undefined);
        expect(Number.isInteger(made.iat) && Number.isInteger(made.exp)).toBe(true);
        expect(made.exp - made.iat).toBe(ASSERTION_LIFETIME_SECONDS);
        expect(made.exp - made.iat).toBeLessThanOrEqual(120);
        expect(nowMs / 1000 - made.iat).toBeGreaterThanOrEqual(0);
        expect(nowMs / 1000 - made.iat).toBeLessThan(1);
        expect(made.authorization_details?.length ?? 1).toBe(1);
        expect(made.scope.split(' ').toSorted().join(' ')).toBe(made.scope);
      }),
      { numRuns: runs(1_000) },
    );
  });
});
