import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { AltinnBench, KB_SCOPE, RIVAL, SERVICE_OWNER } from '../altinn.fixtures.js';
import { type Claims, CUSTOMER, VENDOR, decodeSegment } from '../grants.fixtures.js';

const claimsOf = (token: string): Claims => decodeSegment(token.split('.')[1]);

describe('the token exchange', () => {
  let bench: AltinnBench;

  beforeAll(async () => {
    bench = await AltinnBench.start();
  });
  afterAll(() => bench.close());
  beforeEach(() => bench.operator.reset());

  const exchange = (token?: string, headers: Record<string, string> = {}, provider = 'maskinporten') =>
    bench.authentication(`/exchange/${provider}`, { ...(token !== undefined && { token }), headers });

  it('answers the JWT itself as plain text', async () => {
    const answer = await exchange(await bench.token('acme:x'));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(answer.text).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it('answers it in quotes when switched so', async () => {
    bench.operator.altinn.change({ exchangeAnswer: 'quoted' });
    const answer = await exchange(await bench.token('acme:x'));
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(JSON.parse(answer.text)).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it('signs with its own key, which its JWKS shows', async () => {
    const token = await bench.exchanged('acme:x');
    const configuration = await bench.authentication('/openid/.well-known/openid-configuration');
    const jwks = await (await fetch(String(configuration.json['jwks_uri']))).json();
    const issuer = `${bench.simulator.platformUrl}/authentication/api/v1/openid/`;
    expect(configuration.json['issuer']).toBe(issuer);
    const verified = await jwtVerify(token, createLocalJWKSet(jwks as never), {
      issuer,
      algorithms: ['RS256'],
      currentDate: new Date(bench.grants.clock.nowMs),
    });
    expect(verified.payload.iss).toBe(issuer);
  });

  it('lives for 30 minutes, whatever the Maskinporten token had left', async () => {
    const { iat, exp, nbf } = claimsOf(await bench.exchanged('acme:x'));
    expect(Number(exp) - Number(iat)).toBe(1800);
    expect(nbf).toBe(iat);
  });

  it('turns the list of authorization_details into an object and drops what Maskinporten alone says', async () => {
    await bench.approved({ externalRef: 'ref-1' });
    const raw = await bench.systemUserToken(KB_SCOPE, CUSTOMER, 'ref-1');
    const before = claimsOf(raw);
    const after = claimsOf(await bench.exchange(raw));
    expect(before['authorization_details']).toEqual([after['authorization_details']]);
    expect(after).toMatchObject({
      authorization_details: {
        type: 'urn:altinn:systemuser',
        externalRef: 'ref-1',
        systemuser_id: [expect.any(String)],
      },
      scope: KB_SCOPE,
      client_id: 'client-1',
      consumer: { ID: `0192:${VENDOR}` },
      // The vendor, not the customer.
      'urn:altinn:orgNumber': VENDOR,
      'urn:altinn:authenticatemethod': 'maskinporten',
      'urn:altinn:authlevel': 3,
    });
    expect(after['jti']).not.toBe(before['jti']);
    expect(after).not.toHaveProperty('client_amr');
    expect(after).not.toHaveProperty('urn:altinn:org');
  });

  it('names the service owner only for its own scopes', async () => {
    bench.operator.organisations.add({ orgno: VENDOR, serviceOwner: 'skd' });
    expect(claimsOf(await bench.exchanged(SERVICE_OWNER))['urn:altinn:org']).toBe('skd');
    expect(claimsOf(await bench.exchanged('acme:x'))).not.toHaveProperty('urn:altinn:org');
  });

  it.each([
    ['no token', undefined],
    ['what is no JWT', 'opaque'],
  ])('answers 401 with an empty body to %s', async (_name, token) => {
    const answer = await exchange(token);
    expect([answer.status, answer.text]).toEqual([401, '']);
  });

  it('answers 401 with an empty body to an expired token', async () => {
    const token = await bench.token('acme:x');
    bench.operator.clock.setOffset(120);
    const answer = await exchange(token);
    expect([answer.status, answer.text]).toEqual([401, '']);
  });

  it('does not exchange its own tokens again', async () => {
    expect((await exchange(await bench.exchanged('acme:x'))).status).toBe(401);
  });

  it('answers 410 to the header of the retired enterprise user', async () => {
    const answer = await exchange(await bench.token('acme:x'), { 'X-Altinn-EnterpriseUser-Authentication': 'eDp5' });
    expect(answer.status).toBe(410);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.json['detail']).toMatch(/system user/);
  });

  it('answers 400 with the names of the providers to an unknown one', async () => {
    const answer = await exchange(await bench.token('acme:x'), {}, 'feide');
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/feide.*maskinporten/);
  });

  it('breaks on command, and 401 without body is what a broken exchange looks like', async () => {
    bench.operator.faults.add({ path: '/authentication/api/v1/exchange/maskinporten', status: 401, times: 1 });
    const token = await bench.token('acme:x');
    expect((await exchange(token)).status).toBe(401);
    expect((await exchange(token)).status).toBe(200);
  });

  it('is a log entry with the verdict of each check, and without the token', async () => {
    const token = await bench.token('acme:x', 'rival');
    await exchange(token);
    expect(bench.simulator.log.at(-1)).toMatchObject({
      server: 'platform',
      kind: 'call',
      status: 200,
      clientId: 'rival',
    });
    expect(bench.verdicts()).toEqual([
      ['token.present', true],
      ['token.signature', true],
      ['token.claims', true],
      ['token.maskinporten', true],
      ['token.consumer', true],
    ]);
    expect(JSON.stringify(bench.simulator.log)).not.toContain(token);
    expect(claimsOf(token)['consumer']).toMatchObject({ ID: `0192:${RIVAL}` });
  });
});
