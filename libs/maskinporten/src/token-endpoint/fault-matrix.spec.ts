import { afterEach, describe, expect, it } from '@jest/globals';
import { normaliseTokenRequest } from '../grants/index.js';
import { Demand } from './index.js';
import { answer, refusal, reset, silence, type Misbehaviour } from './strict-token-endpoint.fixtures.js';
import { startBench, type Bench, type BenchOptions } from './token-endpoint.fixtures.js';

const request = normaliseTokenRequest('a:b');
let bench: Bench;

async function failure(misbehaviour: Misbehaviour, options: BenchOptions = {}): Promise<unknown> {
  bench = await startBench(options);
  bench.server.always = misbehaviour;
  return bench.endpoint.fetchToken(request, new Demand()).catch((error: unknown) => error);
}

afterEach(async () => {
  await bench.close();
});

const truncated: Misbehaviour = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"access_token":', () => response.socket?.destroy());
};
const drip: Misbehaviour = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{');
};
const ok = { access_token: 'abc', token_type: 'Bearer', expires_in: 120, scope: 'a:b' };
/** Long enough that each attempt arrives before it is given up. */
const quick = { attemptTimeoutMs: 1_000 };

// prettier-ignore
const ROWS: readonly (readonly [id: string, misbehaviour: Misbehaviour, code: string, attempts: number, options?: BenchOptions])[] = [
  ['F-04: reset before headers', reset, 'MP_NETWORK', 3],
  ['F-08: accepted but silent', silence, 'MP_TIMEOUT', 3, { retry: quick }],
  ['F-09: the body drips', drip, 'MP_TIMEOUT', 3, { retry: quick }],
  ['F-10: the body is cut short', truncated, 'MP_NETWORK', 3],
  ['F-11: 407', answer(407, 'no'), 'MP_PROXY', 1],
  ['F-30: 301', answer(301, '', { location: 'https://x.no/' }), 'MP_REDIRECT', 1],
  ['F-30: 304', (response) => response.writeHead(304).end(), 'MP_REDIRECT', 1],
  ['F-31: 200 with HTML', answer(200, '<html>'), 'MP_PROTOCOL', 1],
  ['F-32: 200 with bad JSON', answer(200, '{"access', { 'content-type': 'application/json' }), 'MP_PROTOCOL', 1],
  ['F-33: no token', answer(200, { ...ok, access_token: undefined }), 'MP_PROTOCOL', 1],
  ['F-33: unknown token type', answer(200, { ...ok, token_type: 'DPoP' }), 'MP_PROTOCOL', 1],
  ['F-34: bad expires_in', answer(200, { ...ok, expires_in: -1 }), 'MP_PROTOCOL', 1],
  ['F-35: fewer scopes', answer(200, { ...ok, scope: 'a:other' }), 'MP_SCOPE_NOT_GRANTED', 1],
  ['F-36: too large', answer(200, { ...ok, more: 'x'.repeat(70_000) }), 'MP_PROTOCOL', 1],
  ['F-36: header overflow', answer(200, ok, { 'x-long': 'y'.repeat(20_000) }), 'MP_PROTOCOL', 1],
  ['F-37: 408', answer(408, 'late'), 'MP_TIMEOUT', 3],
  ['F-38: 429', answer(429, 'slow down'), 'MP_THROTTLED', 3],
  ['F-39: 500', answer(500, 'oops'), 'MP_UPSTREAM', 3],
  ['F-39: 502', answer(502, '<html>'), 'MP_UPSTREAM', 3],
  ['F-39: 503 with an empty body', answer(503, ''), 'MP_UPSTREAM', 3],
  ['F-39: 504', answer(504, 'oops'), 'MP_UPSTREAM', 3],
  ['F-40: 401 that is not JSON', answer(401, 'who are you'), 'MP_UPSTREAM_REJECTED', 1],
  ['F-40: 403 of a gateway', answer(403, { status: 403, error: 'Forbidden' }), 'MP_UPSTREAM_REJECTED', 1],
  ['F-41: 404', answer(404, '<html>'), 'MP_CONFIG_ENDPOINT', 1],
  ['F-41: 405', answer(405, ''), 'MP_CONFIG_ENDPOINT', 1],
  ['F-41: 410', answer(410, ''), 'MP_CONFIG_ENDPOINT', 1],
  ['F-42: 501', answer(501, ''), 'MP_PROTOCOL', 1],
  ['F-42: 505', answer(505, ''), 'MP_PROTOCOL', 1],
  ['F-42: 511', answer(511, ''), 'MP_PROTOCOL', 1],
  ['F-50: MP-100', refusal('MP-100'), 'MP_CLIENT_UNKNOWN', 1],
  ['F-51: MP-110', refusal('MP-110'), 'MP_AUDIENCE', 1],
  ['F-52: MP-120', refusal('MP-120'), 'MP_CERTIFICATE', 1],
  ['F-53: MP-121', refusal('MP-121'), 'MP_KEY_EXPIRED', 1],
  ['F-54: MP-124', refusal('MP-124'), 'MP_SIGNATURE', 1],
  ['F-55: MP-011', refusal('MP-011', 'invalid_request'), 'MP_REQUEST', 1],
  ['F-56: MP-012, once more', refusal('MP-012'), 'MP_REPLAY', 2],
  ['F-57: MP-130 with a right clock', refusal('MP-130'), 'MP_CLOCK', 1],
  ['F-58: MP-200', refusal('MP-200', 'invalid_scope'), 'MP_SCOPE', 1],
  ['F-58: MP-201', refusal('MP-201', 'invalid_scope'), 'MP_SCOPE', 1],
  ['F-59: MP-250', refusal('MP-250', 'forbidden', 403), 'MP_NOT_GRANTED', 1],
  ['F-60: MP-251', refusal('MP-251', 'forbidden', 403), 'MP_NOT_DELEGATED', 1],
  ['F-61: MP-301', refusal('MP-301', 'invalid_request'), 'MP_REQUEST', 1],
  ['F-62: MP-303', refusal('MP-303', 'invalid_altinn_customer_configuration'), 'MP_SYSTEMUSER_MISSING', 1],
  ['F-63: another 400', answer(400, 'no'), 'MP_OAUTH', 1],
  ['F-63: another 400 with JSON', answer(400, { error_description: 'no' }), 'MP_OAUTH', 1],
];

describe('the fault matrix at the token endpoint', () => {
  it.each(ROWS)('%s', async (...row) => {
    const [, misbehaviour, code, attempts, options] = row;
    const error = await failure(misbehaviour, options);
    expect(error).toMatchObject({ code, attempts, elapsedMs: 0, clientId: 'a-client', kid: 'kid-0', scopes: ['a:b'] });
    expect(bench.server.grants).toHaveLength(attempts);
    expect(bench.events.filter(({ type }) => type === 'attempt-failed')).toHaveLength(attempts);
  });

  it('F-01, F-03: nobody listens', async () => {
    bench = await startBench();
    await bench.server.close();
    bench.server.close = async () => {};
    const error: unknown = await bench.endpoint.fetchToken(request, new Demand()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'MP_NETWORK', attempts: 3 });
  });

  it('F-13: a closed client is told so, and nobody retries', async () => {
    bench = await startBench();
    await bench.transport.close();
    bench.transport.close = async () => {};
    const error: unknown = await bench.endpoint.fetchToken(request, new Demand()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'MP_ABORTED', attempts: 1 });
    expect(bench.endpoint.circuitState('plain')).toBe('closed');
  });

  it('F-39: keeps the trace id and the description of a 5xx that is JSON', async () => {
    const error = await failure(refusal(undefined, 'server_error', 503, 'Down for maintenance'));
    expect(error).toMatchObject({
      code: 'MP_UPSTREAM',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      oauthError: 'server_error',
    });
  });

  it('S-01: posts exactly the form, and gives back what was answered', async () => {
    bench = await startBench();
    const token = await bench.endpoint.fetchToken(request, new Demand());
    const [grant] = bench.server.grants;
    expect(grant?.body).toBe(
      `grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=${grant?.assertion}`,
    );
    expect(grant?.headers).toMatchObject({ accept: 'application/json' });
    expect(token).toMatchObject({
      expiresInSeconds: 120,
      scopes: ['a:b'],
      attempts: 1,
      elapsedMs: 0,
      kid: 'kid-0',
      keyIdentity: bench.keys.current.identity,
    });
    expect(token.jti).toBe(grant?.claims.jti);
    expect(bench.endpoint.deadlineMs).toBe(8_000);
    expect(bench.endpoint.connections).toMatchObject({ max: 8, inUse: 0 });
    expect(bench.endpoint.issuer.identifier).toBe(bench.server.issuer);
    expect(bench.endpoint.serverClock).toBe(bench.serverClock);
    expect([token.sentWallMs, token.sentMonotonicMs]).toEqual([bench.clock.wall, bench.clock.monotonic]);
  });

  it('turns anything unexpected into an error of its own that quotes nothing', async () => {
    bench = await startBench();
    const canary = 'canary-in-a-bug';
    const { current } = bench.keys;
    Object.defineProperty(current, 'sign', { value: () => Promise.reject(new TypeError(canary)) });
    const error: unknown = await bench.endpoint.fetchToken(request, new Demand()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'MP_PROTOCOL', attempts: 1 });
    expect(String(error)).not.toContain(canary);
  });
});
