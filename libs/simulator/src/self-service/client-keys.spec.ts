import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Claims,
  GrantBench,
  KEY,
  OTHER,
  type Reply,
  type TestKey,
  asClaims,
  makeClient,
  makeKey,
} from '../grants.fixtures.js';
import { CertificateAuthority } from '../certificates.fixtures.js';
import { isRecord } from '../kernel/index.js';

const READ = 'idporten:dcr.read';
const WRITE = 'idporten:dcr.write';
const MODIFY = 'idporten:dcr.modify';
const YEAR = 365 * 24 * 3600;
const NEW = makeKey('new-key');
const [A, B, C, D] = ['a', 'b', 'c', 'd'].map((kid) => makeKey(kid)) as [TestKey, TestKey, TestKey, TestKey];

const authority = new CertificateAuthority();
const certificate = authority.issue({ subject: '/CN=Locked' });

let bench: GrantBench;

beforeAll(async () => {
  bench = await GrantBench.start({
    clients: [
      makeClient({ tokenLifetime: 600 }),
      makeClient({ clientId: 'admin', scopes: [READ, WRITE, MODIFY, 'acme:orders.read'], tokenLifetime: 3600 }),
      makeClient({ clientId: 'foreign-admin', orgno: OTHER, scopes: [READ, WRITE] }),
      makeClient({ clientId: 'sleeping', active: false }),
      makeClient({ clientId: 'quick', keyActivationSeconds: 5 }),
    ],
  });
});
afterAll(() => bench.close());
beforeEach(() => bench.simulator.operator.reset());

interface Call {
  readonly method?: string;
  readonly scope?: string;
  /** Whose token: client id of the administrator. */
  readonly iss?: string;
  readonly token?: string | null;
  readonly client?: string;
  readonly base?: string;
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string;
}

async function tokenFor(scope: string, iss = 'admin'): Promise<string> {
  const { json } = await bench.grant({ claims: { scope, iss } });
  return String(json['access_token']);
}

async function call(given: Call = {}): Promise<Reply> {
  const { method = given.body === undefined ? 'GET' : 'POST', base = '/clients', client = 'client-1' } = given;
  const token = given.token === undefined ? await tokenFor(given.scope ?? WRITE, given.iss) : given.token;
  const body = given.raw ?? (given.body === undefined ? undefined : JSON.stringify(given.body));
  const response = await fetch(`${bench.simulator.selfServiceUrl}${base}/${client}/jwks`, {
    method,
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text === '' ? {} : asClaims(JSON.parse(text)) };
}

const post = (keys: readonly unknown[], more: Call = {}): Promise<Reply> => call({ body: { keys }, ...more });

const kidsOf = (reply: Reply): unknown[] =>
  Array.isArray(reply.json['keys']) ? reply.json['keys'].map((key: unknown) => isRecord(key) && key['kid']) : [];

/** Outcome of a grant that is signed with this key: 200, or the refusal's text without the trace id. */
async function outcome(key: TestKey, iss = 'client-1'): Promise<unknown> {
  const { status, json } = await bench.grant({
    claims: { iss },
    header: { kid: key.jwk.kid },
    key: key.privateKey,
  });
  return status === 200 ? 200 : String(json['error_uri'] ?? json['error_description']).replace(/ \(trace.*|^.*\//g, '');
}

const UNKNOWN = 'Invalid assertion. Client authentication failed. Unknown key identifier (kid) for client';

function expectRefusal(reply: Reply, status: number, check: string, fields: readonly string[] = []): void {
  expect({ status: reply.status, body: reply.json['status'] }).toEqual({ status, body: status });
  expect(reply.json).toMatchObject({
    timestamp: new Date(bench.clock.nowMs).toISOString(),
    correlation_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    error: expect.any(String),
    error_description: expect.any(String),
  });
  const errors: unknown[] = Array.isArray(reply.json['errors']) ? reply.json['errors'] : [];
  expect(errors.map((error) => isRecord(error) && error['fieldIdentifier'])).toEqual(fields);
  const entry = bench.simulator.log.at(-1);
  expect(entry).toMatchObject({ server: 'self-service', status, refusal: { error: reply.json['error'] } });
  expect(entry?.checks.find(({ ok }) => ok === false)?.check).toBe(check);
}

describe('keys of a client in the self-service API', () => {
  it.each(['/clients', '/api/v1/clients'])('are read under %s, each with its end', async (base) => {
    const reply = await call({ base, scope: READ });
    expect(reply.status).toBe(200);
    const at = new Date(bench.clock.nowMs).toISOString();
    expect(reply.json).toEqual({
      created: at,
      last_updated: at,
      keys: [{ ...KEY.jwk, exp: bench.clock.seconds + YEAR }],
    });
  });

  it.each(['POST', 'PUT'])('are replaced as a whole set by %s', async (method) => {
    expect(kidsOf(await post([KEY.jwk, NEW.jwk], { method }))).toEqual(['key-1', 'new-key']);
    expect(kidsOf(await post([NEW.jwk], { method, scope: MODIFY }))).toEqual(['new-key']);
    expect(kidsOf(await call())).toEqual(['new-key']);
    expect(await outcome(KEY)).toBe(UNKNOWN);
  });

  it('are known at the token endpoint two minutes after they were posted, by the simulator’s clock', async () => {
    await post([KEY.jwk, NEW.jwk]);
    expect([await outcome(KEY), await outcome(NEW)]).toEqual([200, UNKNOWN]);
    bench.clock.advance(119);
    expect(await outcome(NEW)).toBe(UNKNOWN);
    bench.clock.advance(1);
    expect([await outcome(KEY), await outcome(NEW)]).toEqual([200, 200]);
  });

  it('the operator’s clock shortens the wait just as well', async () => {
    await post([KEY.jwk, NEW.jwk]);
    await fetch(`${bench.simulator.operatorUrl}/operator/api/clock`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"offsetSeconds":120}',
    });
    bench.clock.advance(0);
    const iat = bench.clock.seconds + 120;
    const { status } = await bench.grant({
      claims: { iat, exp: iat + 60 },
      header: { kid: 'new-key' },
      key: NEW.privateKey,
    });
    expect(status).toBe(200);
  });

  it('keyActivationSeconds of the client wins over the two minutes', async () => {
    await post([NEW.jwk], { client: 'quick' });
    expect(await outcome(NEW, 'quick')).toBe(UNKNOWN);
    bench.clock.advance(5);
    expect(await outcome(NEW, 'quick')).toBe(200);
  });

  it('that are posted again are renewed, and signed with all the while', async () => {
    const ending = { ...KEY.jwk, exp: bench.clock.seconds + 600 };
    await post([ending]);
    expect(await outcome(KEY)).toBe(200);
    bench.clock.advance(300);
    await post([KEY.jwk]);
    expect(await outcome(KEY)).toBe(200);
    bench.clock.advance(3000);
    expect(await outcome(KEY)).toBe(200);
    const [key] = (await call()).json['keys'] as Claims[];
    expect(key?.['exp']).toBe(bench.clock.seconds - 3000 + YEAR);
  });

  it('another key under a kid that was used is a new key, with its own two minutes', async () => {
    const other = makeKey('key-1');
    await post([other.jwk]);
    expect([await outcome(KEY), await outcome(other)]).toEqual([UNKNOWN, UNKNOWN]);
    bench.clock.advance(120);
    expect([await outcome(KEY), await outcome(other)]).toEqual(['MP-124', 200]);
  });

  it('end at their exp with MP-121, and after one year when they have none', async () => {
    await post([{ ...KEY.jwk, exp: bench.clock.seconds + 60 }, NEW.jwk]);
    bench.clock.advance(59);
    expect(await outcome(KEY)).toBe(200);
    bench.clock.advance(1);
    expect(await outcome(KEY)).toBe('MP-121');
    bench.clock.advance(YEAR - 61);
    expect(await outcome(NEW)).toBe(200);
    bench.clock.advance(1);
    expect(await outcome(NEW)).toBe('MP-121');
  });

  it('are deleted together, which is how the last one goes', async () => {
    const { status } = await call({ method: 'DELETE' });
    expect(status).toBe(204);
    expect((await call()).json).toMatchObject({ keys: [] });
    expect(await outcome(KEY)).toBe(UNKNOWN);
  });

  it('say when the set was changed', async () => {
    bench.clock.advance(100);
    const at = new Date(bench.clock.nowMs).toISOString();
    expect((await post([KEY.jwk])).json['last_updated']).toBe(at);
    bench.clock.advance(100);
    expect((await call()).json['last_updated']).toBe(at);
  });

  it('keep the certificate that they are locked to', async () => {
    const { n, e } = createPublicKey(certificate.privateKey).export({ format: 'jwk' });
    const locked = { kty: 'RSA', n, e, use: 'sig', alg: 'RS256', kid: 'locked', x5c: [certificate.der] };
    const reply = await post([locked]);
    expect(reply.json['keys']).toMatchObject([locked]);
  });
});

describe('the self-service API refuses', () => {
  it('a request without a token', async () => {
    const reply = await call({ token: null });
    expectRefusal(reply, 401, 'token.present');
    expect(reply.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('a token that it cannot verify', async () => {
    expectRefusal(await call({ token: 'not.a.token' }), 401, 'token.signature');
  });

  it('a token that has expired', async () => {
    const token = await tokenFor(WRITE);
    bench.clock.advance(3600);
    expectRefusal(await call({ token }), 401, 'token.exp');
  });

  it('a token without a scope for it', async () => {
    expectRefusal(await call({ scope: 'acme:orders.read' }), 403, 'token.scope');
  });

  it.each(['POST', 'PUT', 'DELETE'])('%s with a token that may only read', async (method) => {
    const body = method === 'DELETE' ? undefined : { keys: [NEW.jwk] };
    expectRefusal(await call({ scope: READ, method, body }), 403, 'token.scope');
    expect(await outcome(KEY)).toBe(200);
  });

  it('a client that does not exist', async () => {
    expectRefusal(await call({ client: 'nobody' }), 404, 'client.own');
  });

  it('the client of another organisation', async () => {
    expectRefusal(await post([NEW.jwk], { iss: 'foreign-admin' }), 404, 'client.own');
    expect(kidsOf(await call())).toEqual(['key-1']);
  });

  it.each(['POST', 'PUT', 'DELETE'])('%s to a client that is deactivated: 409', async (method) => {
    const body = method === 'DELETE' ? undefined : { keys: [NEW.jwk] };
    expectRefusal(await call({ client: 'sleeping', method, body }), 409, 'client.active');
    expect(kidsOf(await call({ client: 'sleeping' }))).toEqual(['key-1']);
  });

  it('a change to a part of the set', async () => {
    const reply = await call({ method: 'PATCH', body: {} });
    expectRefusal(reply, 405, 'request');
    expect(reply.headers.get('allow')).toBe('GET, POST, PUT, DELETE');
  });

  it('a body that is not JSON', async () => {
    expectRefusal(await call({ method: 'POST', raw: '{"keys":[' }), 400, 'request');
  });

  it('a list where the set is an object', async () => {
    expectRefusal(await call({ body: [NEW.jwk] }), 400, 'jwks.valid', ['']);
  });

  it('an unknown member beside keys', async () => {
    expectRefusal(await call({ body: { keys: [NEW.jwk], key: NEW.jwk } }), 400, 'jwks.valid', ['key']);
  });

  it('an empty set', async () => {
    expectRefusal(await post([]), 400, 'jwks.valid', ['keys']);
  });

  it('more than five keys, and takes five', async () => {
    const five = [KEY, A, B, C, D].map(({ jwk }) => jwk);
    expectRefusal(await post([...five, NEW.jwk]), 400, 'jwks.valid', ['keys']);
    expect((await post(five)).status).toBe(200);
  });

  it('two keys with one kid', async () => {
    expectRefusal(await post([KEY.jwk, { ...NEW.jwk, kid: 'key-1' }]), 400, 'jwks.valid', ['keys[1].kid']);
  });

  it.each([
    ['without use', { use: undefined }, 'keys[0].use'],
    ['for encryption', { use: 'enc' }, 'keys[0].use'],
    ['without alg', { alg: undefined }, 'keys[0].alg'],
    ['for another algorithm', { alg: 'PS256' }, 'keys[0].alg'],
    ['without kid', { kid: undefined }, 'keys[0].kid'],
    ['with a kid of other letters', { kid: 'nøkkel 1' }, 'keys[0].kid'],
    ['of another type', { kty: 'EC' }, 'keys[0].kty'],
    ['without modulus', { n: undefined }, 'keys[0].n'],
    ['with a modulus that is none', { n: 'AA' }, 'keys[0].n'],
    ['that is private', { d: 'AA' }, 'keys[0]'],
    ['with an unknown member', { owner: 'me' }, 'keys[0].owner'],
    ['that ends more than a year ahead', { exp: 1_795_000_000 + 10 * YEAR }, 'keys[0].exp'],
    ['that has ended', { exp: 1_795_000_000 - 10 * YEAR }, 'keys[0].exp'],
    ['with the certificate of another key', { x5c: [certificate.der] }, 'keys[0].x5c[0]'],
    ['with a certificate that is none', { x5c: ['AAAA'] }, 'keys[0].x5c[0]'],
  ])('a key %s', async (_what, changes, field) => {
    expectRefusal(await post([{ ...NEW.jwk, ...changes }]), 400, 'jwks.valid', [field]);
    expect(kidsOf(await call())).toEqual(['key-1']);
  });

  it('a key of fewer than 2048 bits', async () => {
    const { n } = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
    expectRefusal(await post([{ ...NEW.jwk, n }]), 400, 'jwks.valid', ['keys[0].n']);
  });

  it('names every wrong field of every key at once', async () => {
    const reply = await post([
      { ...NEW.jwk, use: undefined },
      { ...A.jwk, alg: 'ES256', kid: '' },
    ]);
    expectRefusal(reply, 400, 'jwks.valid', ['keys[0].use', 'keys[1].alg', 'keys[1].kid']);
    expect(reply.json['error_description']).toContain('keys[0].use must be one of sig');
  });
});
