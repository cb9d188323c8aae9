import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint } from 'jose';
import {
  CUSTOMER,
  GrantBench,
  OTHER,
  SCOPE,
  VENDOR,
  asClaims,
  makeClient,
  makeKey,
  tokenClaims,
} from '../grants.fixtures.js';

async function publishedKeys(issuer: string): Promise<string[]> {
  const jwks = asClaims(await (await fetch(`${issuer}jwk`)).json());
  return (Array.isArray(jwks['keys']) ? jwks['keys'] : []).map((jwk: unknown) => String(asClaims(jwk)['kid']));
}

const CURVE = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' });

describe('the operator API', () => {
  let bench: GrantBench;

  beforeAll(async () => {
    bench = await GrantBench.start({ ungranted: [{ orgno: OTHER, scope: SCOPE }] });
  });
  afterAll(() => bench.close());
  beforeEach(() => bench.simulator.operator.reset());

  const api = async (
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; json: unknown; type: string | null }> => {
    const response = await fetch(`${bench.simulator.operatorUrl}/operator/api/${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    return {
      status: response.status,
      json: text === '' ? undefined : JSON.parse(text),
      type: response.headers.get('content-type'),
    };
  };

  it('lists its members and the URLs', async () => {
    const { json } = await api('GET', '');
    expect(json).toMatchObject({
      members: expect.arrayContaining([
        'clients',
        'scopes',
        'ungranted',
        'delegations',
        'systems',
        'systemUsers',
        'faults',
      ]),
      urls: { issuer: bench.simulator.issuer },
    });
  });

  it('registers a client whose key then works', async () => {
    const key = makeKey('posted');
    const posted = await api('POST', 'clients', makeClient({ clientId: 'posted', jwks: { keys: [key.jwk] } }));
    expect(posted.status).toBe(201);
    const reply = await bench.grant({ claims: { iss: 'posted' }, header: { kid: 'posted' }, key: key.privateKey });
    expect(reply.status).toBe(200);
    expect(await api('GET', 'clients/posted')).toMatchObject({
      status: 200,
      json: {
        clientId: 'posted',
        keys: [{ kid: 'posted', alg: 'RS256', expiresAt: bench.clock.seconds + 365 * 24 * 3600 }],
      },
    });
    expect((await api('DELETE', 'clients/posted')).status).toBe(204);
    expect(await bench.grant({ claims: { iss: 'posted' } })).toMatchObject({ status: 400 });
  });

  it('replaces the set of keys: the old one is unknown, and with both registered both work', async () => {
    const next = makeKey('key-2');
    const withKeys = (...keys: (typeof next.jwk)[]) => api('POST', 'clients', makeClient({ jwks: { keys } }));
    const current = makeClient().jwks?.keys[0];
    await withKeys(...(current ? [current] : []), next.jwk);
    const byNew = { header: { kid: 'key-2' }, key: next.privateKey };
    expect((await bench.grant()).status).toBe(200);
    expect((await bench.grant(byNew)).status).toBe(200);
    await withKeys(next.jwk);
    expect((await bench.grant()).status).toBe(400);
    expect((await bench.grant(byNew)).status).toBe(200);
  });

  it('takes a public key in PEM, under a kid that is given or is its thumbprint, and answers the item', async () => {
    const { privateKey, jwk } = makeKey('pem');
    const pem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
    const client = { clientId: 'pem', orgno: VENDOR, scopes: [SCOPE], pem };
    const kid = await calculateJwkThumbprint({ kty: 'RSA', n: String(jwk.n), e: String(jwk.e) });
    const grant = (named: string) => bench.grant({ claims: { iss: 'pem' }, header: { kid: named }, key: privateKey });
    const posted = await api('POST', 'clients', client);
    expect(posted).toMatchObject({ status: 201, json: { clientId: 'pem', keys: [{ kid, alg: 'RS256' }] } });
    expect((await grant(kid)).status).toBe(200);
    await api('POST', 'clients', { ...client, kid: 'named' });
    expect((await grant(kid)).status).toBe(400);
    expect((await grant('named')).status).toBe(200);
  });

  it.each([
    ['a private key', { pem: makeKey('x').privateKey.export({ type: 'pkcs8', format: 'pem' }) }, 'pem'],
    ['no PEM', { pem: 'x' }, 'pem'],
    ['a key of another kind', { pem: CURVE }, 'pem'],
    ['PEM beside jwks', { pem: 'x', jwks: { keys: [] } }, 'pem'],
    ['a kid without PEM', { kid: 'x' }, 'kid'],
  ])('refuses %s', async (_name, members, field) => {
    const { status, json } = await api('POST', 'clients', { clientId: 'c', orgno: VENDOR, ...members });
    expect([status, json]).toMatchObject([400, { failures: [{ field }] }]);
  });

  it('takes a list, and answers with all items', async () => {
    const delegations = [CUSTOMER, OTHER].map((consumer) => ({ consumer, supplier: VENDOR, scope: SCOPE }));
    expect(await api('POST', 'delegations', delegations)).toEqual({
      status: 201,
      json: delegations,
      type: expect.stringMatching(/json/),
    });
    expect(await api('GET', 'delegations')).toMatchObject({ json: delegations });
    expect((await bench.grant({ claims: { consumer_org: CUSTOMER } })).status).toBe(200);
  });

  it('removes what matches the query, and everything without one', async () => {
    await api('POST', 'ungranted', { orgno: VENDOR, scope: SCOPE });
    expect((await bench.grant()).status).toBe(403);
    expect((await api('DELETE', `ungranted?orgno=${VENDOR}&scope=${encodeURIComponent(SCOPE)}`)).status).toBe(204);
    expect((await bench.grant()).status).toBe(200);
    expect((await api('DELETE', `ungranted?orgno=${VENDOR}`)).status).toBe(404);
    expect((await api('GET', 'ungranted')).json).toHaveLength(1);
    expect((await api('DELETE', 'ungranted')).status).toBe(204);
    expect((await api('GET', 'ungranted')).json).toEqual([]);
  });

  it.each(['clients/none', 'nothing', 'clients/client-1/keys'])('answers GET %s with 404', async (path) => {
    expect(await api('GET', path)).toMatchObject({ status: 404, type: expect.stringMatching(/problem\+json/) });
  });

  it('names the field of wrong input in a problem document', async () => {
    expect(await api('POST', 'clients', [{ ...makeClient(), orgno: '1' }])).toMatchObject({
      status: 400,
      type: expect.stringMatching(/^application\/problem\+json/),
      json: { failures: [{ field: 'clients[0].orgno', reason: expect.any(String) }] },
    });
    expect(await api('POST', 'scopes', { name: 'a', atMaxAge: 'x' })).toMatchObject({
      status: 400,
      json: { failures: [{ field: 'atMaxAge' }] },
    });
    expect(await api('POST', 'scopes', 7)).toMatchObject({ status: 400, json: { failures: [{ field: 'scopes' }] } });
  });

  it('refuses a body that is no JSON', async () => {
    const url = `${bench.simulator.operatorUrl}/operator/api/scopes`;
    const bad = await fetch(url, { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } });
    expect(bad.status).toBe(400);
    const form = await fetch(url, { method: 'POST', body: new URLSearchParams({ name: 'a' }) });
    expect(form.status).toBe(415);
    expect(bench.simulator.operator.scopes.list()).toEqual([]);
  });

  it('moves the clock of validation and Date, and puts it back', async () => {
    expect(await api('POST', 'clock', { offsetSeconds: 3600 })).toMatchObject({
      status: 200,
      json: { offsetSeconds: 3600 },
    });
    const reply = await bench.grant();
    expect(reply.json['error_uri']).toMatch(/MP-130$/);
    expect(reply.headers.get('date')).toBe(new Date(bench.clock.nowMs + 3_600_000).toUTCString());
    expect(await api('GET', 'clock')).toMatchObject({
      json: { now: new Date(bench.clock.nowMs + 3_600_000).toISOString() },
    });
    expect(await api('DELETE', 'clock')).toMatchObject({ json: { offsetSeconds: 0 } });
    expect((await bench.grant()).status).toBe(200);
  });

  it.each([{ offsetSeconds: 'x' }, {}, { offsetSeconds: 1e12 }, { offset: 1 }])('refuses clock %j', async (body) => {
    expect(await api('POST', 'clock', body)).toMatchObject({ status: 400, json: { failures: expect.any(Array) } });
  });

  it('scripts faults, counts them, and takes them away', async () => {
    await api('POST', 'faults', { id: 'down', path: '/token', status: 503, retryAfter: 1 });
    const response = await fetch(bench.simulator.tokenEndpoint, { method: 'POST' });
    expect(response.status).toBe(503);
    expect(await api('GET', 'faults/down')).toMatchObject({ json: { hits: 1 } });
    await api('DELETE', 'faults/down');
    expect((await bench.grant()).status).toBe(200);
  });

  it('shows the log, with grants, calls and verdicts, and without itself', async () => {
    const { json } = await bench.grant();
    await fetch(`${bench.simulator.apiUrl}/whoami`, {
      headers: { authorization: `Bearer ${String(json['access_token'])}` },
    });
    await api('GET', 'clients');
    const log = await api('GET', 'log');
    expect(log.json).toMatchObject([
      {
        kind: 'grant',
        path: '/token',
        status: 200,
        checks: expect.arrayContaining([{ check: 'signature', ok: true }]),
      },
      { kind: 'call', path: '/whoami', status: 200, tokenJti: tokenClaims(json)['jti'] },
    ]);
    expect((await api('DELETE', 'log')).status).toBe(204);
    expect((await api('GET', 'log')).json).toEqual([]);
  });

  it('makes the API refuse a token', async () => {
    const { json } = await bench.grant();
    await api('POST', 'revokedTokens', { jti: tokenClaims(json)['jti'] });
    const headers = { authorization: `Bearer ${String(json['access_token'])}` };
    expect((await fetch(`${bench.simulator.apiUrl}/whoami`, { headers })).status).toBe(401);
  });

  it('rotates the signing key', async () => {
    const before = await publishedKeys(bench.simulator.issuer);
    const { json } = await api('POST', 'signing-keys/rotate');
    expect(await publishedKeys(bench.simulator.issuer)).toEqual([asClaims(json)['kid'], ...before]);
    const dropped = await api('POST', 'signing-keys/rotate', { dropOld: true });
    expect(await publishedKeys(bench.simulator.issuer)).toEqual([asClaims(dropped.json)['kid']]);
  });

  it('resets: what was added is gone, and a used grant is new again', async () => {
    const assertion = await bench.assertion();
    await bench.send(assertion);
    await api('POST', 'scopes', { name: 'x' });
    expect((await api('POST', 'reset')).status).toBe(204);
    expect((await api('GET', 'scopes')).json).toEqual([]);
    expect((await api('GET', 'ungranted')).json).toHaveLength(1);
    expect((await bench.send(assertion)).status).toBe(200);
  });

  it('is reached under /operator only', async () => {
    expect((await fetch(`${bench.simulator.operatorUrl}/api/clients`)).status).toBe(404);
  });
});

describe('the operator is for this machine alone:', () => {
  let bench: GrantBench;

  beforeAll(async () => {
    bench = await GrantBench.start();
  });
  afterAll(() => bench.close());

  const status = (headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      const url = new URL(`${bench.simulator.operatorUrl}/operator/api/clients`);
      request(url, { headers }, (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode ?? 0);
      })
        .on('error', reject)
        .end();
    });

  it.each(['localhost:1', '127.0.0.1', '[::1]:80'])('Host %s is answered', async (host) => {
    expect(await status({ host })).toBe(200);
  });

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:80',
    '10.0.0.1',
    'localhost:80@evil.example',
  ])('Host %s is refused (DNS rebinding)', async (host) => {
    expect(await status({ host })).toBe(403);
  });

  it('a page of its own origin is answered', async () => {
    expect(await status({ origin: bench.simulator.operatorUrl })).toBe(200);
  });

  it.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }],
    ['an opaque origin', { origin: 'null' }],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
  ])('a page of %s is refused', async (_name, headers) => {
    expect(await status(headers)).toBe(403);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'T-84: a body of type %s changes nothing',
    async (type) => {
      const url = `${bench.simulator.operatorUrl}/operator/api/scopes`;
      const answer = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body: '{"name":"a:b"}' });
      expect(answer.status).toBe(415);
      expect(bench.simulator.operator.scopes.list()).toEqual([]);
    },
  );

  it('no address but loopback has a listener', async () => {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((address) => address !== undefined && !address.internal && address.family === 'IPv4');
    const urls = [
      bench.simulator.issuer,
      bench.simulator.platformUrl,
      bench.simulator.apiUrl,
      bench.simulator.operatorUrl,
    ];
    for (const url of urls) {
      expect(new URL(url).hostname).toBe('127.0.0.1');
      if (outside === undefined) continue;
      const elsewhere = new URL(url);
      elsewhere.hostname = outside.address;
      await expect(fetch(elsewhere)).rejects.toThrow('fetch failed');
    }
  });
});
