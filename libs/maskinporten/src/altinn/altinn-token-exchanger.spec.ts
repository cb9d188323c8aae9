import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { normaliseTokenRequest } from '../grants/index.js';
import { organisationNumber, testClient, type TestClient } from './altinn-client.fixtures.js';
import { AltinnStandIn, unsignedJwt } from './altinn-stand-in.fixtures.js';
import { readExchangedToken } from './exchanged-token.js';

const CUSTOMER = organisationNumber(1);
const OTHER = organisationNumber(2);
const NOW_S = 1_800_000_000;

const tokenFor = (organisation: string | undefined): string =>
  unsignedJwt({
    iat: NOW_S,
    exp: NOW_S + 1800,
    scope: 'acme:read',
    ...(organisation === undefined
      ? {}
      : {
          authorization_details: { type: 'urn:altinn:systemuser', systemuser_org: { ID: `0192:${organisation}` } },
        }),
  });

describe('token exchange', () => {
  const standIn = new AltinnStandIn();
  let client: TestClient;
  beforeAll(async () => standIn.start());
  afterAll(async () => standIn.stop());
  beforeEach(async () => {
    standIn.reset();
    client = await testClient(standIn);
  });
  afterEach(async () => client.close());

  const request = { scopes: 'acme:read', exchange: 'altinn' } as const;

  it('F-87: swaps the token and keeps it for its own life of 30 minutes, not for the life of the one it came from', async () => {
    const before = Date.now();
    const token = await client.tokens.getToken(request);
    expect(token.expiresAt.getTime()).toBeGreaterThan(before + 1_790_000);
    expect(token.expiresAt.getTime()).toBeLessThanOrEqual(Date.now() + 1_800_000);
    await client.tokens.getToken(request);
    expect(standIn.calls('/exchange/')).toHaveLength(1);
  });

  it('accepts the token as a JSON string', async () => {
    standIn.style.quotedToken = true;
    const token = await client.tokens.getToken(request);
    expect(token.value).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it('F-87: tries a 401 once more with a renewed token', async () => {
    standIn.fail('/exchange/', 401, { times: 1 });
    await expect(client.tokens.getToken(request)).resolves.toBeDefined();
    expect(standIn.calls('/exchange/')).toHaveLength(2);
    expect(standIn.calls('/token')).toHaveLength(2);
  });

  it('F-87: a second 401 is unknown and retryable, never a refusal', async () => {
    standIn.fail('/exchange/', 401);
    await expect(client.tokens.getToken(request)).rejects.toMatchObject({
      code: 'MP_UPSTREAM',
      retryable: true,
      status: 401,
      failures: [{ field: 'ALTINN_PLATFORM_URL' }],
    });
    expect(standIn.calls('/exchange/')).toHaveLength(2);
  });

  it('F-87: repeats 503, and gives up after three attempts', async () => {
    standIn.fail('/exchange/', 503, { times: 2 });
    await expect(client.tokens.getToken(request)).resolves.toBeDefined();
    expect(standIn.calls('/exchange/')).toHaveLength(3);
    standIn.fail('/exchange/', 503);
    await expect(client.tokens.getToken({ ...request, scopes: 'acme:write' })).rejects.toMatchObject({
      code: 'MP_UPSTREAM',
      attempts: 3,
    });
  });

  it.each([
    [301, 'MP_REDIRECT', { location: 'https://evil.example/' }],
    [404, 'MP_CONFIG_ENDPOINT', {}],
    [410, 'MP_CONFIG_ENDPOINT', {}],
    [501, 'MP_PROTOCOL', {}],
  ])('F-87: %i is %s and not repeated', async (status, code, headers) => {
    standIn.fail('/exchange/', status, { headers });
    await expect(client.tokens.getToken(request)).rejects.toMatchObject({ code });
    expect(standIn.calls('/exchange/')).toHaveLength(1);
  });

  it('F-85, F-87: a web page is not a token', async () => {
    standIn.fail('/exchange/', 200, { headers: { 'content-type': 'text/html' }, body: '<html></html>' });
    await expect(client.tokens.getToken(request)).rejects.toMatchObject({ code: 'MP_PROTOCOL' });
  });

  it('T-54: a token for another customer than was asked for is refused', () => {
    const asked = normaliseTokenRequest({ ...request, systemUser: { organisation: CUSTOMER } });
    expect(readExchangedToken(tokenFor(CUSTOMER), asked, 0).expiresInSeconds).toBe(1800);
    expect(() => readExchangedToken(tokenFor(OTHER), asked, 0)).toThrow(/not for the organisation/);
    expect(() => readExchangedToken(tokenFor(undefined), asked, 0)).toThrow(/not for the organisation/);
    expect(() => readExchangedToken(tokenFor(CUSTOMER), normaliseTokenRequest(request), 0)).toThrow(/not asked for/);
  });

  it.each([
    ['an array', [{ type: 'urn:altinn:systemuser', systemuser_org: { ID: `0192:${CUSTOMER}` } }]],
    ['lower-case id', { type: 'urn:altinn:systemuser', systemuser_org: { id: CUSTOMER } }],
    ['a JSON text', JSON.stringify([{ type: 'urn:altinn:systemuser', systemuser_org: { ID: CUSTOMER } }])],
  ])('reads authorization_details as %s', (_, details) => {
    const asked = normaliseTokenRequest({ ...request, systemUser: { organisation: CUSTOMER } });
    const token = unsignedJwt({ iat: NOW_S, exp: NOW_S + 60, authorization_details: details });
    expect(readExchangedToken(token, asked, 0).expiresInSeconds).toBe(60);
  });

  it.each([
    ['no exp', { iat: NOW_S }, /does not say when it ends/],
    ['exp before iat', { iat: NOW_S, exp: NOW_S }, /ended before/],
    ['exp that is no number', { iat: NOW_S, exp: 'soon' }, /does not say/],
    ['fewer scopes', { iat: NOW_S, exp: NOW_S + 9, scope: 'acme:other' }, /fewer scopes/],
  ])('refuses a token with %s', (_, claims, reason) => {
    expect(() => readExchangedToken(unsignedJwt(claims), normaliseTokenRequest(request), 0)).toThrow(reason);
  });

  it('T-64: believes at most one hour, and counts from now when the token does not say when it was issued', () => {
    const asked = normaliseTokenRequest(request);
    expect(readExchangedToken(unsignedJwt({ iat: 0, exp: NOW_S }), asked, 0).expiresInSeconds).toBe(3600);
    expect(readExchangedToken(unsignedJwt({ exp: NOW_S + 10 }), asked, NOW_S * 1000).expiresInSeconds).toBe(10);
  });

  it('T-10, T-62: whatever comes back is refused without being quoted', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        const canary = `CANARY${text}`;
        try {
          readExchangedToken(canary, normaliseTokenRequest(request), 0);
        } catch (error) {
          return !String(error).includes('CANARY');
        }
        return false;
      }),
      { numRuns: runs(500) },
    );
    expect(() => readExchangedToken('a.'.repeat(500_000), normaliseTokenRequest(request), 0)).toThrow(/not a JWT/);
  });
});
