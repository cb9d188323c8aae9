import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CompactSign, decodeProtectedHeader } from 'jose';
import { GrantBench, KEY, SCOPE, asClaims, makeClient, sign, tokenClaims } from '../grants.fixtures.js';

const BROKER = 'altinn:broker.read';
const BROKER_WRITE = 'altinn:broker.write';
const CORRESPONDENCE = 'altinn:correspondence.read';

describe('the API behind Maskinporten', () => {
  let bench: GrantBench;
  let token: string;

  const call = (path: string, options: { method?: string; token?: string; body?: string; type?: string } = {}) =>
    fetch(`${bench.simulator.apiUrl}${path}`, {
      method: options.method ?? 'GET',
      headers: {
        authorization: `Bearer ${options.token ?? token}`,
        ...(options.body !== undefined && { 'content-type': options.type ?? 'application/json' }),
      },
      ...(options.body !== undefined && { body: options.body }),
    });
  const getToken = async (scope: string): Promise<string> =>
    String((await bench.grant({ claims: { scope } })).json['access_token']);

  beforeAll(async () => {
    bench = await GrantBench.start({
      clients: [makeClient({ scopes: [SCOPE, BROKER, BROKER_WRITE, CORRESPONDENCE] })],
    });
  });
  afterAll(() => bench.close());
  beforeEach(async () => {
    bench.simulator.operator.reset();
    token = await getToken(BROKER);
  });

  it('says which token arrived', async () => {
    const claims = asClaims(await (await call('/whoami')).json());
    expect(claims).toEqual(tokenClaims({ access_token: token }));
  });

  it.each([
    ['/broker/api/v1/filetransfer', 'GET', BROKER, 200],
    ['/broker/api/v1/filetransfer', 'POST', BROKER_WRITE, 201],
    ['/correspondence/api/v1/correspondence', 'GET', CORRESPONDENCE, 200],
  ])('%s by %s needs %s', async (path, method, scope, good) => {
    expect((await call(path, { method, token: await getToken(scope) })).status).toBe(good);
    const refused = await call(path, { method, token: await getToken(SCOPE) });
    expect(refused.status).toBe(403);
    expect(refused.headers.get('www-authenticate')).toBe(
      `Bearer error="insufficient_scope", error_description="The token does not hold the scope ${scope}", scope="${scope}"`,
    );
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });

  it('has the same two APIs on the Altinn platform, and answers the rest of it with a problem', async () => {
    const headers = { authorization: `Bearer ${token}` };
    const platform = bench.simulator.platformUrl;
    expect((await fetch(`${platform}/broker/api/v1/filetransfer`, { headers })).status).toBe(200);
    const unknown = await fetch(`${platform}/nowhere`, { headers });
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ title: 'Not found', status: 404 });
  });

  it('asks for any scope that the path names, compared as a whole', async () => {
    expect((await call(`/scope/${encodeURIComponent(BROKER)}`)).status).toBe(200);
    expect((await call(`/scope/${encodeURIComponent('altinn:broker')}`)).status).toBe(403);
  });

  it('echoes method and body, but not the token', async () => {
    const answer = await call('/echo', { method: 'POST', body: '{"a":1}' });
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ method: 'POST', url: '/echo', body: { a: 1 } });
    expect(text).not.toContain(token);
    const plain = await call('/echo', { method: 'PUT', body: 'æøå', type: 'text/plain;charset=utf-8' });
    expect(await plain.json()).toMatchObject({ body: 'æøå' });
  });

  it('streams events', async () => {
    const answer = await call('/stream?count=3&everyMs=1');
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect((await answer.text()).match(/data: \{"index":\d\}/g)).toHaveLength(3);
  });

  it.each(['/whoami', '/echo', '/stream', '/broker/api/v1/x', '/scope/x'])(
    '%s without a token is challenged without a reason (RFC 6750 §3.1)',
    async (path) => {
      const answer = await fetch(`${bench.simulator.apiUrl}${path}`);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    },
  );

  it.each([
    ['in another scheme', (jwt: string) => `Basic ${jwt}`],
    ['with two words', (jwt: string) => `Bearer ${jwt} x`],
  ])('takes no token %s', async (_name, header) => {
    const answer = await fetch(`${bench.simulator.apiUrl}/whoami`, { headers: { authorization: header(token) } });
    expect(answer.status).toBe(401);
  });

  it('takes no token in the query (RFC 6750 §5.3)', async () => {
    expect((await fetch(`${bench.simulator.apiUrl}/whoami?access_token=${token}`)).status).toBe(401);
    expect(JSON.stringify(bench.simulator.log)).not.toContain(token);
  });

  const expectInvalid = async (jwt: string, reason: RegExp): Promise<void> => {
    const answer = await call('/whoami', { token: jwt });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token", error_description=/);
    expect(await answer.json()).toMatchObject({ detail: expect.stringMatching(reason) });
    expect(bench.simulator.log.at(-1)).toMatchObject({
      kind: 'call',
      status: 401,
      refusal: { error: 'invalid_token' },
    });
  };

  it('refuses an expired token, by the simulator clock', async () => {
    bench.simulator.operator.clock.setOffset(119);
    expect((await call('/whoami')).status).toBe(200);
    bench.simulator.operator.clock.setOffset(120);
    await expectInvalid(token, /expired/);
  });

  it('refuses a token from the future', async () => {
    bench.simulator.operator.clock.setOffset(-11);
    await expectInvalid(token, /not valid yet/);
  });

  it('refuses a token that was changed', async () => {
    const [header, , signature] = token.split('.');
    const claims = { ...tokenClaims({ access_token: token }), scope: 'altinn:broker.read altinn:broker.write' };
    const body = Buffer.from(JSON.stringify(claims)).toString('base64url');
    await expectInvalid(`${header}.${body}.${signature}`, /signature/);
  });

  it('refuses a token signed by a stranger under a known kid', async () => {
    const { kid = '' } = decodeProtectedHeader(token);
    const claims = new TextEncoder().encode(JSON.stringify(tokenClaims({ access_token: token })));
    await expectInvalid(
      await new CompactSign(claims).setProtectedHeader({ alg: 'RS256', kid }).sign(KEY.privateKey),
      /signature/,
    );
  });

  it('refuses a token signed with an unpublished key', async () => {
    const jwt = await sign(
      JSON.stringify(tokenClaims({ access_token: token })),
      { alg: 'RS256', kid: 'key-1' },
      KEY.privateKey,
    );
    await expectInvalid(jwt, /JWKS/);
  });

  it('refuses what is no JWT', async () => {
    await expectInvalid('opaque', /malformed/);
  });

  it('refuses a token of another simulator', async () => {
    // It makes a key of its own.
    const other = await GrantBench.start({}, { signingKeys: {} });
    try {
      await expectInvalid(String((await other.grant()).json['access_token']), /JWKS/);
    } finally {
      await other.close();
    }
  });

  it('refuses the one token that the operator names, and no other', async () => {
    bench.simulator.operator.revoke(String(tokenClaims({ access_token: token })['jti']));
    await expectInvalid(token, /operator/);
    expect((await call('/whoami', { token: await getToken(BROKER) })).status).toBe(200);
  });

  it('takes tokens of the old key after a rotation, until it is dropped', async () => {
    await bench.simulator.operator.rotateSigningKey();
    expect((await call('/whoami')).status).toBe(200);
    const renewed = await getToken(BROKER);
    expect(renewed.split('.')[0]).not.toBe(token.split('.')[0]);
    await bench.simulator.operator.rotateSigningKey({ dropOld: true });
    await expectInvalid(token, /JWKS/);
    await expectInvalid(renewed, /JWKS/);
  });

  it('is logged with the claims and the verdict of each check', async () => {
    await call(`/scope/${encodeURIComponent(SCOPE)}`);
    const entry = bench.simulator.log.at(-1);
    expect(entry).toMatchObject({
      server: 'api',
      kind: 'call',
      status: 403,
      clientId: 'client-1',
      claims: { scope: BROKER },
      refusal: { error: 'insufficient_scope' },
    });
    expect(entry?.tokenJti).toBe(tokenClaims({ access_token: token })['jti']);
    expect(entry?.checks.map(({ check, ok }) => [check, ok])).toEqual([
      ['token.present', true],
      ['token.signature', true],
      ['token.claims', true],
      ['token.scope', false],
    ]);
  });
});
