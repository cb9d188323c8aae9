import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import {
  CUSTOMER,
  GrantBench,
  PERSON,
  SCOPE,
  SECOND_SCOPE,
  VENDOR,
  decodeSegment,
  makeClient,
  makeKey,
  tokenClaims,
} from '../grants.fixtures.js';

const SYSTEM = `${VENDOR}_payroll`;

const systemUser = (members: object = {}): object[] => [
  {
    type: 'urn:altinn:systemuser',
    systemuser_org: { authority: 'iso6523-actorid-upis', ID: `0192:${CUSTOMER}` },
    ...members,
  },
];

describe('a grant that follows every rule', () => {
  let bench: GrantBench;

  beforeAll(async () => {
    bench = await GrantBench.start({
      scopes: [
        { name: SCOPE, delegable: true },
        { name: SECOND_SCOPE, atMaxAge: 30 },
      ],
      delegations: [{ consumer: CUSTOMER, supplier: VENDOR, scope: SCOPE }],
      systems: [{ id: SYSTEM, vendor: VENDOR, clientIds: ['client-1'] }],
      systemUsers: [
        { id: '11111111-1111-4111-8111-111111111111', systemId: SYSTEM, orgno: CUSTOMER },
        { id: '22222222-2222-4222-8222-222222222222', systemId: SYSTEM, orgno: CUSTOMER, externalRef: 'payroll_2' },
      ],
    });
  });
  afterAll(() => bench.close());

  it('signed with a registered key, gives a token that the published keys verify', async () => {
    const reply = await bench.grant();
    expect(reply.status).toBe(200);
    expect(Object.keys(reply.json).toSorted()).toEqual(['access_token', 'expires_in', 'scope', 'token_type']);
    expect(reply.json).toMatchObject({ token_type: 'Bearer', expires_in: 119, scope: SCOPE });
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.headers.get('content-type')).toMatch(/^application\/json/);
    const jwks = await (await fetch(`${bench.simulator.issuer}jwk`)).json();
    const keys = createRemoteJWKSet(new URL(`${bench.simulator.issuer}jwk`));
    const { payload, protectedHeader } = await jwtVerify(String(reply.json['access_token']), keys, {
      currentDate: new Date(bench.clock.nowMs),
      issuer: bench.simulator.issuer,
    });
    expect(jwks).toEqual({
      keys: [
        {
          kty: 'RSA',
          use: 'sig',
          alg: 'RS256',
          kid: protectedHeader.kid,
          e: 'AQAB',
          n: expect.stringMatching(/^[\w-]{512}$/),
        },
      ],
    });
    expect(protectedHeader).toEqual({ kid: expect.stringMatching(/^[\w-]{43}$/), alg: 'RS256' });
    expect(payload).toEqual({
      scope: SCOPE,
      iss: bench.simulator.issuer,
      client_amr: 'private_key_jwt',
      token_type: 'Bearer',
      iat: bench.clock.seconds,
      exp: bench.clock.seconds + 120,
      client_id: 'client-1',
      jti: expect.stringMatching(/^[\w-]{43}$/),
      consumer: { authority: 'iso6523-actorid-upis', ID: `0192:${VENDOR}` },
    });
  });

  it('gives a signature of 384 bytes, as a 3072-bit key does', async () => {
    const { json } = await bench.grant();
    const signature = String(json['access_token']).split('.')[2] ?? '';
    expect(Buffer.from(signature, 'base64url')).toHaveLength(384);
  });

  it.each(['RS256', 'RS384', 'RS512'])('may be signed with %s', async (alg) => {
    expect(await bench.grant({ header: { alg } })).toMatchObject({ status: 200 });
  });

  it('may say typ JWT', async () => {
    expect(await bench.grant({ header: { typ: 'JWT' } })).toMatchObject({ status: 200 });
  });

  it('may be signed with 3072 and 4096 bits', async () => {
    for (const bits of [3072, 4096]) {
      const key = makeKey(`key-${bits}`, bits);
      bench.simulator.operator.clients.add(makeClient({ clientId: `client-${bits}`, jwks: { keys: [key.jwk] } }));
      const reply = await bench.grant({
        key: key.privateKey,
        header: { kid: `key-${bits}` },
        claims: { iss: `client-${bits}` },
      });
      expect(reply.status).toBe(200);
    }
  });

  it('for several scopes gives them all, once each', async () => {
    const token = await bench.token({ claims: { scope: `${SECOND_SCOPE} ${SCOPE} ${SCOPE}` } });
    expect(token['scope']).toBe(`${SECOND_SCOPE} ${SCOPE}`);
  });

  it('with consumer_org names consumer, supplier and where the delegation was made', async () => {
    const token = await bench.token({ claims: { consumer_org: CUSTOMER } });
    expect(token).toMatchObject({
      consumer: { authority: 'iso6523-actorid-upis', ID: `0192:${CUSTOMER}` },
      supplier: { authority: 'iso6523-actorid-upis', ID: `0192:${VENDOR}` },
      delegation_source: 'https://tt02.altinn.no/',
    });
  });

  it('for a system user without externalRef finds the one made without', async () => {
    const token = await bench.token({ claims: { authorization_details: systemUser() } });
    expect(token['authorization_details']).toEqual([
      {
        type: 'urn:altinn:systemuser',
        systemuser_id: ['11111111-1111-4111-8111-111111111111'],
        systemuser_org: { authority: 'iso6523-actorid-upis', ID: `0192:${CUSTOMER}` },
        system_id: SYSTEM,
      },
    ]);
    expect(token['consumer']).toEqual({ authority: 'iso6523-actorid-upis', ID: `0192:${VENDOR}` });
    expect(token).not.toHaveProperty('supplier');
  });

  it('for a system user with externalRef finds that one and echoes the reference', async () => {
    const token = await bench.token({
      claims: { authorization_details: systemUser({ externalRef: 'payroll_2' }) },
    });
    expect(token['authorization_details']).toMatchObject([
      { systemuser_id: ['22222222-2222-4222-8222-222222222222'], externalRef: 'payroll_2' },
    ]);
  });

  it.each([CUSTOMER, ''])('for a system user with externalRef %p finds the one made without', async (externalRef) => {
    const token = await bench.token({ claims: { authorization_details: systemUser({ externalRef }) } });
    expect(token['authorization_details']).toMatchObject([{ systemuser_id: ['11111111-1111-4111-8111-111111111111'] }]);
  });

  it.each([`urn:altinn:person:identifier-no:${PERSON}`, `urn:altinn:organization:identifier-no:${CUSTOMER}`])(
    'for a consent from %s gives what was consented to',
    async (from) => {
      const id = '77ed8698-e5e5-4dd4-8b7a-1f3a1a2d9a55';
      const token = await bench.token({
        claims: { authorization_details: [{ type: 'urn:altinn:consent', id, from }] },
      });
      expect(token['authorization_details']).toEqual([
        {
          type: 'urn:altinn:consent',
          id,
          from,
          to: token['consumer'],
          consented: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*[+]00:00$/),
          validTo: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*[+]00:00$/),
          consentRights: [
            { action: [expect.any(String)], resource: [{ type: expect.any(String), value: expect.any(String) }] },
          ],
        },
      ]);
    },
  );

  it('for a consent with consumer_org addresses it to the consumer', async () => {
    const token = await bench.token({
      claims: {
        consumer_org: CUSTOMER,
        authorization_details: [
          {
            type: 'urn:altinn:consent',
            id: '77ed8698-e5e5-4dd4-8b7a-1f3a1a2d9a55',
            from: `urn:altinn:person:identifier-no:${PERSON}`,
          },
        ],
      },
    });
    expect(token['authorization_details']).toMatchObject([{ to: { ID: `0192:${CUSTOMER}` } }]);
  });

  it.each([
    [['https://api.example.no/'], 'https://api.example.no/'],
    ['https://api.example.no/', 'https://api.example.no/'],
    [
      ['https://a.example.no', 'urn:example:b'],
      ['https://a.example.no', 'urn:example:b'],
    ],
  ])('for resource %j has that audience', async (resource, aud) => {
    expect(await bench.token({ claims: { resource } })).toMatchObject({ aud });
  });

  it('for a person has the pid', async () => {
    expect(await bench.token({ claims: { pid: PERSON } })).toMatchObject({ pid: PERSON });
  });

  it('holds for as long as the lowest of client and scopes says, and expires_in is one below', async () => {
    const both = await bench.grant({ claims: { scope: `${SCOPE} ${SECOND_SCOPE}` } });
    expect(both.json['expires_in']).toBe(29);
    const token = tokenClaims(both.json);
    expect(Number(token['exp']) - Number(token['iat'])).toBe(30);
    bench.simulator.operator.clients.add(makeClient({ clientId: 'long', tokenLifetime: 3600 }));
    const long = await bench.grant({ claims: { iss: 'long' } });
    expect(long.json['expires_in']).toBe(3599);
    bench.simulator.operator.clients.add(makeClient({ clientId: 'short', tokenLifetime: 5 }));
    const short = await bench.grant({ claims: { iss: 'short', scope: SECOND_SCOPE } });
    expect(short.json['expires_in']).toBe(4);
  });

  it('is logged with every check, the decoded grant and no signature or token', async () => {
    const assertion = await bench.assertion({ claims: { scope: SCOPE } });
    const { json } = await bench.send(assertion);
    const entry = bench.simulator.log.at(-1);
    expect(entry).toMatchObject({
      server: 'maskinporten',
      kind: 'grant',
      method: 'POST',
      path: '/token',
      status: 200,
      clientId: 'client-1',
      header: { alg: 'RS256', kid: 'key-1' },
      claims: decodeSegment(assertion.split('.')[1]),
      tokenJti: tokenClaims(json)['jti'],
    });
    expect(entry?.checks.length).toBeGreaterThan(20);
    expect(entry?.checks.every(({ ok }) => ok === true)).toBe(true);
    const written = JSON.stringify(bench.simulator.log);
    expect(written).not.toContain(assertion.split('.')[2]);
    expect(written).not.toContain(String(json['access_token']).split('.')[2]);
  });
});
