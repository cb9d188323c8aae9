import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import type { FaultInput } from 'maskinporten-simulator';
import { CLIENT, NEW, OLD, SelfServiceBench } from './self-service.fixtures.js';

const PATH = `/clients/${CLIENT}/jwks`;
let bench: SelfServiceBench;
beforeAll(async () => {
  bench = await SelfServiceBench.start();
});
afterAll(() => bench.close());
afterEach(() => bench.simulator.operator.reset());

async function failure(work: Promise<unknown>): Promise<MaskinportenError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isMaskinportenError(error)) throw new Error(`not one of our errors: ${String(error)}`);
  return error;
}

/** Cause, field, fix in both languages, and who must act. */
function expectHelpful(error: MaskinportenError, expected: object): void {
  expect(error).toMatchObject(expected);
  expect(error.hint.en).not.toBe('');
  expect(error.hint.nb).not.toBe(error.hint.en);
}

describe('the self-service API for keys', () => {
  it('reads the set with its ends, when it was changed, and what time it is there', async () => {
    const set = await bench.api.read(CLIENT);
    expect(set.keys).toMatchObject([{ kid: OLD.kid, n: OLD.jwk.n, e: OLD.jwk.e, wire: OLD.jwk }]);
    expect(set.keys[0]?.expiresAt?.getTime()).toBe(bench.clock.wall + 365 * 24 * 3600 * 1000);
    expect([set.changedAt?.getTime(), set.serverTime?.getTime()]).toEqual([bench.clock.wall, bench.clock.wall]);
  });

  it('replaces the set, with the token for that and no more', async () => {
    const set = await bench.api.replace(CLIENT, [OLD.jwk, NEW.jwk]);
    expect(set.keys.map(({ kid }) => kid)).toEqual([OLD.kid, NEW.kid]);
    const [call] = bench.simulator.log.filter(({ server }) => server === 'self-service').slice(-1);
    expect(call?.claims?.['scope']).toBe('idporten:dcr.write');
    await bench.api.read(CLIENT);
    const [read] = bench.simulator.log.filter(({ server }) => server === 'self-service').slice(-1);
    expect(read?.claims?.['scope']).toBe('idporten:dcr.read');
  });

  it('is found under /api/v1 too', async () => {
    const api = bench.apiWith({ baseUrl: `${bench.simulator.selfServiceUrl}/api/v1/` });
    expect((await api.read(CLIENT)).keys).toHaveLength(1);
  });

  it('is asked again with a new token after a 401', async () => {
    await bench.api.read(CLIENT);
    const used = bench.simulator.log.at(-1)?.tokenJti;
    expect(used).toBeDefined();
    bench.simulator.operator.revoke(String(used));
    expect((await bench.api.read(CLIENT)).keys).toHaveLength(1);
    expect(bench.simulator.log.at(-1)?.tokenJti).not.toBe(used);
  });

  it.each<[string, Partial<FaultInput>]>([
    ['503', { status: 503 }],
    ['a reset connection', { reset: true }],
    ['429', { status: 429 }],
  ])('is asked again after %s', async (_what, fault) => {
    bench.simulator.operator.faults.add({ path: PATH, times: 2, ...fault });
    expect((await bench.api.read(CLIENT)).keys).toHaveLength(1);
    expect((await bench.api.replace(CLIENT, [OLD.jwk, NEW.jwk])).keys).toHaveLength(2);
  });
});

describe('a refusal of the self-service API', () => {
  it('names every field of a key that is not accepted', async () => {
    const error = await failure(bench.api.replace(CLIENT, [{ ...NEW.jwk, use: 'enc', alg: 'ES256' }]));
    expectHelpful(error, { code: 'MP_REQUEST', status: 400, actBy: 'you', traceId: expect.any(String) });
    expect(error.failures).toEqual([
      { field: 'keys[0].alg', code: 'MP_REQUEST', reason: 'must be one of RS256, RS384, RS512' },
      { field: 'keys[0].use', code: 'MP_REQUEST', reason: 'must be one of sig' },
    ]);
    expect(bench.kids()).toEqual([OLD.kid]);
  });

  it('for a client that it does not know names the client id', async () => {
    const error = await failure(bench.api.read('nobody'));
    expectHelpful(error, { code: 'MP_CLIENT_UNKNOWN', status: 404, failures: [{ field: 'clientId' }] });
  });

  it('409 says that the client is deactivated', async () => {
    const client = { clientId: 'sleeping', orgno: '310000019', jwks: { keys: [OLD.jwk] }, active: false };
    bench.simulator.operator.clients.add(client);
    const error = await failure(bench.api.replace('sleeping', [NEW.jwk]));
    expectHelpful(error, { code: 'MP_CONFIG', status: 409, actBy: 'you', failures: [{ field: 'clientId' }] });
    expect(error.message).toContain('deactivated');
  });

  it('a token that is not accepted, twice, says so and does not repeat it', async () => {
    bench.simulator.operator.faults.add({ path: PATH, status: 401, body: { error: 'invalid_token' } });
    const error = await failure(bench.api.read(CLIENT));
    expectHelpful(error, { code: 'MP_UPSTREAM_REJECTED', actBy: 'you', failures: [{ field: 'selfServiceUrl' }] });
  });

  it('403 names the scope and who gives it', async () => {
    bench.simulator.operator.faults.add({ path: PATH, status: 403, body: { error: 'insufficient_scope' } });
    const error = await failure(bench.api.read(CLIENT));
    expectHelpful(error, { code: 'MP_NOT_GRANTED', actBy: 'digdir', failures: [{ field: 'scope' }] });
    expect(error.hint.en).toContain('idporten:dcr.write');
  });

  it.each<[string, Partial<FaultInput>, string]>([
    ['a web page', { html: true }, 'MP_PROTOCOL'],
    ['bad JSON', { badJson: true }, 'MP_PROTOCOL'],
    ['a set that is none', { body: { keys: [{ kid: 1 }] } }, 'MP_PROTOCOL'],
    ['an answer that is too large', { oversizedBytes: 1024 * 1024 }, 'MP_PROTOCOL'],
    ['a redirect', { redirect: 'http://127.0.0.1:1/' }, 'MP_REDIRECT'],
    ['503 to the end', { status: 503 }, 'MP_UPSTREAM'],
    ['408 to the end', { status: 408 }, 'MP_TIMEOUT'],
    ['501', { status: 501, body: {} }, 'MP_PROTOCOL'],
    ['429 to the end', { status: 429 }, 'MP_THROTTLED'],
    ['a reset to the end', { reset: true }, 'MP_NETWORK'],
    ['418', { status: 418, body: { error: 'odd' } }, 'MP_PROTOCOL'],
  ])('%s is blamed on the address', async (_what, fault, code) => {
    bench.simulator.operator.faults.add({ path: PATH, ...fault });
    const error = await failure(bench.api.read(CLIENT));
    expectHelpful(error, { code, failures: [{ field: 'selfServiceUrl' }] });
  });

  it('Retry-After is honoured: what does not fit is not waited for', async () => {
    bench.simulator.operator.faults.add({ path: PATH, status: 429, retryAfter: 60 });
    const before = bench.simulator.log.length;
    expect(await failure(bench.api.read(CLIENT))).toMatchObject({ code: 'MP_THROTTLED', retryAfterMs: 60_000 });
    expect(bench.simulator.log.slice(before).filter(({ status }) => status === 429)).toHaveLength(1);
  });

  it('F-13: a caller that gives up ends it, before and while it is tried again', async () => {
    expect(await failure(bench.api.read(CLIENT, { signal: AbortSignal.abort() }))).toMatchObject({
      code: 'MP_ABORTED',
    });
    const controller = new AbortController();
    bench.simulator.operator.faults.add({ path: PATH, delayMs: 60_000 });
    const reading = failure(bench.api.read(CLIENT, { signal: controller.signal }));
    while (bench.simulator.log.at(-1)?.path !== PATH) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    expect(await reading).toMatchObject({ code: 'MP_ABORTED' });
  });

  it('400 without a word about fields blames the keys', async () => {
    bench.simulator.operator.faults.add({
      path: PATH,
      status: 400,
      body: { errors: [null, {}, { errorMessage: 'no' }] },
    });
    const error = await failure(bench.api.replace(CLIENT, [NEW.jwk]));
    expect(error.failures).toEqual([
      { field: 'keys', code: 'MP_REQUEST', reason: 'is not accepted' },
      { field: 'keys', code: 'MP_REQUEST', reason: 'no' },
    ]);
  });

  it('T-05: what is shaped like a token and echoed does not get into the error', async () => {
    bench.simulator.operator.faults.add({
      path: PATH,
      status: 400,
      body: { error: 'eyJhbGciOi.J9', error_description: `token eyJ${'a1B'.repeat(30)}`, errors: [] },
    });
    const error = await failure(bench.api.replace(CLIENT, [NEW.jwk]));
    expect(JSON.stringify(error)).not.toMatch(/eyJ|a1Ba1B/);
    expect(error.failures).toMatchObject([{ field: 'keys' }]);
  });
});

describe('the address of the self-service API', () => {
  it.each([
    ['http://api.samarbeid.digdir.no', 'must be https'],
    ['https://api.samarbeid.digdir.no/?a=1', 'query'],
    ['https://user:pw@api.samarbeid.digdir.no', 'user name'],
    ['', 'absolute URL'],
  ])('%s is refused', (baseUrl, reason) => {
    expect(() => bench.apiWith({ baseUrl })).toThrow(reason);
  });

  it('F-88: of the other environment than the issuer is refused', async () => {
    const { ClientKeysApi, SELF_SERVICE_URLS } = await import('./index.js');
    const of = (identifier: string, baseUrl: string) => () =>
      new ClientKeysApi({
        baseUrl,
        transport: { send: () => Promise.reject(new Error('nothing may be sent')) },
        tokens: {
          getToken: () => Promise.reject(new Error('nothing may be asked')),
          renew: () => Promise.resolve(undefined),
          status: { issuer: { identifier } } as never,
        },
      });
    expect(of('https://test.maskinporten.no/', SELF_SERVICE_URLS.prod)).toThrow('belongs to the prod environment');
    expect(of('https://maskinporten.no/', SELF_SERVICE_URLS.test)).toThrow('belongs to the test environment');
    expect(of('https://maskinporten.no/', SELF_SERVICE_URLS.prod)).not.toThrow();
  });

  it.each(['', '..', '.', 'x'.repeat(256)])('cannot be changed by the client id "%s"', async (clientId) => {
    const before = bench.simulator.log.length;
    expect(await failure(bench.api.read(clientId))).toMatchObject({
      code: 'MP_CONFIG',
      failures: [{ field: 'clientId' }],
    });
    expect(bench.simulator.log.slice(before).filter(({ server }) => server === 'self-service')).toEqual([]);
  });
});
