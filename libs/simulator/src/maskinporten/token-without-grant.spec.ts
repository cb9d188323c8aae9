import { type KeyObject, createHmac, createPublicKey, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Claims,
  CUSTOMER,
  GrantBench,
  OTHER,
  PERSON,
  SCOPE,
  VENDOR,
  asClaims,
  decodeSegment,
} from '../grants.fixtures.js';
import { ConfigurationError, type IssueTokenInput, type Tamper } from '../index.js';

const consumer = VENDOR;
const scopes = [SCOPE];
const organisation = (orgno: string) => ({ authority: 'iso6523-actorid-upis', ID: `0192:${orgno}` });
const USER = '11111111-2222-4333-8444-555555555555';
const CONSENT_ID = '99999999-2222-4333-8444-555555555555';

let bench: GrantBench;
let key: KeyObject;
let kid: string;

beforeAll(async () => {
  bench = await GrantBench.start({
    systems: [{ id: `${VENDOR}_payroll`, vendor: VENDOR }],
    systemUsers: [{ id: USER, systemId: `${VENDOR}_payroll`, orgno: CUSTOMER, externalRef: 'ref-1' }],
    consents: [
      { id: CONSENT_ID, from: `urn:altinn:person:identifier-no:${PERSON}`, validTo: '2030-01-01T00:00:00+00:00' },
    ],
  });
  const { keys } = (await (await fetch(`${bench.simulator.issuer}jwk`)).json()) as { keys: [{ kid: string }] };
  kid = keys[0].kid;
  key = createPublicKey({ key: keys[0], format: 'jwk' });
});
afterAll(() => bench.close());

const issue = (input: Partial<IssueTokenInput> = {}): Promise<string> =>
  bench.simulator.issueToken({ consumer, scopes, ...input });
const claimsOf = async (input: Partial<IssueTokenInput> = {}): Promise<Claims> =>
  decodeSegment((await issue(input)).split('.')[1]);
const detailsOf = async (input: Partial<IssueTokenInput>): Promise<unknown> =>
  (await claimsOf(input))['authorization_details'];
const whoami = async (token: string): Promise<number> =>
  (await fetch(`${bench.simulator.apiUrl}/whoami`, { headers: { authorization: `Bearer ${token}` } })).status;

const post = async (body: unknown): Promise<{ status: number; json: Claims }> => {
  const answer = await fetch(`${bench.simulator.operatorUrl}/operator/api/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, json: asClaims(await answer.json()) };
};

const holds = (token: string): boolean => {
  const [head = '', payload = '', signature = ''] = token.split('.');
  return verify('sha256', Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url'));
};
const spoil = async (tamper: Tamper) => {
  const token = await issue({ tamper });
  const [head, payload] = token.split('.');
  return { token, header: decodeSegment(head), claims: decodeSegment(payload) };
};

/** The claims of a spoiled token whose signature holds. */
const seen = async (tamper: Tamper): Promise<Claims> => {
  const { token, claims } = await spoil(tamper);
  expect(holds(token)).toBe(true);
  return claims;
};

describe('a token without a grant', () => {
  it('is what the token endpoint would have given', async () => {
    const granted = await bench.token();
    const claims = await claimsOf();
    expect({ ...claims, jti: '' }).toEqual({ ...granted, jti: '' });
    expect(claims['jti']).toMatch(/^[\w-]{43}$/);
    expect(await whoami(await issue())).toBe(200);
    expect(decodeSegment((await issue()).split('.')[0])).toEqual({ kid, alg: 'RS256' });
  });

  it('says who acts for whom, for whom it is meant, and how long it lives', async () => {
    expect(
      await claimsOf({
        supplier: OTHER,
        audience: ['https://a.example', 'https://b.example'],
        pid: PERSON,
        clientId: 'mine',
        expiresInSeconds: 5,
        scopes: ['a:x', 'b:y'],
      }),
    ).toMatchObject({
      consumer: organisation(VENDOR),
      supplier: organisation(OTHER),
      delegation_source: 'https://tt02.altinn.no/',
      aud: ['https://a.example', 'https://b.example'],
      pid: PERSON,
      client_id: 'mine',
      exp: bench.clock.seconds + 5,
      scope: 'a:x b:y',
    });
    const foreign = { authority: 'etsi-en-319-412', ID: 'NTRNO-1', commonName: 'x' };
    expect(await claimsOf({ consumer: foreign, audience: 'https://a.example' })).toMatchObject({
      consumer: foreign,
      client_id: 'simulated-client',
      aud: 'https://a.example',
    });
  });

  it('is of a system user that the simulator knows, or of one that is made up', async () => {
    const known = {
      type: 'urn:altinn:systemuser',
      systemuser_id: [USER],
      systemuser_org: organisation(CUSTOMER),
      system_id: `${VENDOR}_payroll`,
      externalRef: 'ref-1',
    };
    expect(await detailsOf({ systemUser: USER })).toEqual([known]);
    expect(await detailsOf({ systemUser: { orgno: CUSTOMER } })).toEqual([known]);
    const { externalRef: _none, ...plain } = known;
    expect(await detailsOf({ systemUser: { orgno: OTHER, id: USER } })).toEqual([
      { ...plain, systemuser_org: organisation(OTHER), system_id: `${VENDOR}_system` },
    ]);
  });

  it('carries a consent that the simulator knows, or one that is made up', async () => {
    const from = `urn:altinn:person:identifier-no:${PERSON}`;
    expect(await detailsOf({ consent: CONSENT_ID })).toMatchObject([
      {
        type: 'urn:altinn:consent',
        id: CONSENT_ID,
        from,
        to: organisation(VENDOR),
        validTo: '2030-01-01T00:00:00+00:00',
      },
    ]);
    const consentRights = [{ action: ['consent'], resource: [{ type: 'urn:altinn:resource', value: 'x' }] }];
    expect(await detailsOf({ consent: { from, to: OTHER, consentRights } })).toMatchObject([
      { id: expect.stringMatching(/^[\w-]{36}$/), from, to: organisation(OTHER), consentRights },
    ]);
  });

  it.each<[object, string]>([
    [{ consumer: '310000018' }, 'consumer'],
    [{ consumer: { authority: 'x' } }, 'consumer.ID'],
    [{ scopes: ['a b'] }, 'scopes[0]'],
    [{ scopes: undefined }, 'scopes'],
    [{ systemUser: 'unknown' }, 'systemUser'],
    [{ consent: 'unknown' }, 'consent'],
    [{ systemUser: USER, consent: CONSENT_ID }, 'consent'],
    [{ expiresInSeconds: 0 }, 'expiresInSeconds'],
    [{ tamper: 'sign' }, 'tamper'],
    [{ scope: 'x' }, 'scope'],
  ])('%j is refused, naming the field', async (input, field) => {
    const error: unknown = await issue(input).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error instanceof ConfigurationError && error.problems.map((problem) => problem.field)).toEqual([field]);
  });

  it('comes over HTTP as well, for tests in any language', async () => {
    const { status, json } = await post({ consumer, scopes });
    expect([status, json]).toEqual([
      201,
      { access_token: expect.any(String), token_type: 'Bearer', expires_in: 120, scope: SCOPE },
    ]);
    expect(await whoami(String(json['access_token']))).toBe(200);
    expect(await post({ consumer, scopes, tamper: 'x' })).toMatchObject({
      status: 400,
      json: { failures: [{ field: 'tamper' }] },
    });
  });

  describe('spoiled', () => {
    it.each<[Tamper, Claims]>([
      ['issuer', { iss: 'https://maskinporten.example/' }],
      ['audience', { aud: 'https://another-api.example' }],
      ['bound', { cnf: { jkt: expect.any(String) } }],
    ])('%s: one claim is wrong, and the signature holds', async (tamper, changed) => {
      const { token, claims } = await spoil(tamper);
      expect({ ...claims, jti: '' }).toEqual({ ...(await claimsOf()), ...changed, jti: '' });
      expect(holds(token)).toBe(true);
    });

    it.each<[Tamper, string]>([
      ['no-exp', 'exp'],
      ['no-iat', 'iat'],
      ['no-consumer', 'consumer'],
      ['no-jti', 'jti'],
      ['no-scope', 'scope'],
    ])('%s: one claim is missing, and the signature holds', async (tamper, claim) => {
      const { token, claims } = await spoil(tamper);
      const { [claim]: _gone, ...rest } = await claimsOf();
      expect({ ...claims, ...('jti' in claims && { jti: '' }) }).toEqual({
        ...rest,
        ...('jti' in rest && { jti: '' }),
      });
      expect(holds(token)).toBe(true);
    });

    it('issuer-slash, expired, not-yet, too-long: as their names say, and the signature holds', async () => {
      const now = bench.clock.seconds;
      expect((await seen('issuer-slash'))['iss']).toBe(bench.simulator.issuer.slice(0, -1));
      expect(await seen('expired')).toMatchObject({ iat: now - 720, exp: now - 600 });
      expect(await seen('not-yet')).toMatchObject({ iat: now + 600, exp: now + 720 });
      expect(await seen('too-long')).toMatchObject({ iat: now, exp: now + 30 * 86_400 });
    });

    it('signature, unknown-kid, no-kid, alg-none, alg-hs256, crit, cut-off: the claims are right, and the rest is not', async () => {
      const signature = await spoil('signature');
      expect([holds(signature.token), signature.header]).toEqual([false, { kid, alg: 'RS256' }]);
      expect((await spoil('unknown-kid')).header['kid']).not.toBe(kid);
      expect((await spoil('no-kid')).header).toEqual({ alg: 'RS256' });
      const none = await spoil('alg-none');
      expect([none.header['alg'], none.token.endsWith('.')]).toEqual(['none', true]);
      const hmac = await spoil('alg-hs256');
      const [head = '', payload = '', mac] = hmac.token.split('.');
      const secret = key.export({ type: 'spki', format: 'pem' });
      expect(createHmac('sha256', secret).update(`${head}.${payload}`).digest('base64url')).toBe(mac);
      expect((await spoil('crit')).header).toMatchObject({ crit: ['urn:example:extension'] });
      expect((await issue({ tamper: 'cut-off' })).split('.')).toHaveLength(2);
    });

    it('none of those that the simulator’s own API judges is let in', async () => {
      const judged = [
        'signature',
        'unknown-kid',
        'no-kid',
        'alg-none',
        'alg-hs256',
        'crit',
        'cut-off',
        'issuer',
        'issuer-slash',
        'expired',
        'not-yet',
        'no-exp',
        'no-iat',
        'no-jti',
      ] as const;
      for (const tamper of judged) expect([tamper, await whoami(await issue({ tamper }))]).toEqual([tamper, 401]);
    });
  });
});
