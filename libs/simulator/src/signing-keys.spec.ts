import { createHook } from 'node:async_hooks';
import { type KeyObject, createPublicKey } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, createRemoteJWKSet, decodeProtectedHeader, exportJWK, jwtVerify } from 'jose';
import { GrantBench, makeKey } from './grants.fixtures.js';
import { ConfigurationError, startSimulator } from './index.js';

/** Counts the RSA keys that this process begins to make, and knows those that it has not finished. */
const making = new EventEmitter();
let made = 0;
const unfinished = new Set<number>();
const hook = createHook({
  init: (id, type) => {
    if (type !== 'KEYPAIRGENREQUEST') return;
    made += 1;
    unfinished.add(id);
    making.emit('begun');
  },
  before: (id) => void unfinished.delete(id),
});

async function publishedKids(jwksUri: string): Promise<string[]> {
  const { keys } = (await (await fetch(jwksUri)).json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
}

const jwkOf = (bench: GrantBench): string => `${bench.simulator.issuer}jwk`;
const altinnJwks = (bench: GrantBench): string =>
  `${bench.simulator.platformUrl}/authentication/api/v1/openid/.well-known/openid-configuration/jwks`;

async function accessToken(bench: GrantBench): Promise<string> {
  return String((await bench.grant()).json['access_token']);
}

async function kidOf(key: KeyObject): Promise<string> {
  return calculateJwkThumbprint(await exportJWK(createPublicKey(key)));
}

describe('the keys that the simulator signs with', () => {
  let bench: GrantBench;
  beforeAll(() => void hook.enable());
  afterAll(() => void hook.disable());
  beforeEach(async () => {
    made = 0;
    bench = await GrantBench.start({}, { signingKeys: {} });
  });
  afterEach(async () => bench.close());

  it('are not made by starting, refusing, judging unknown tokens or closing', async () => {
    expect((await bench.grant({ claims: { scope: 'acme:unknown' } })).status).toBe(400);
    const forged = await bench.assertion();
    const call = await fetch(`${bench.simulator.apiUrl}/whoami`, { headers: { authorization: `Bearer ${forged}` } });
    expect(call.status).toBe(401);
    await bench.close();
    expect(made).toBe(0);
  });

  it('are made once for all that ask at the same time, and everything agrees on them', async () => {
    const metadata = await fetch(`${bench.simulator.issuer}.well-known/oauth-authorization-server`);
    const { jwks_uri: jwksUri } = (await metadata.json()) as { jwks_uri: string };
    const [kids, ...tokens] = await Promise.all([
      publishedKids(jwksUri),
      accessToken(bench),
      accessToken(bench),
      accessToken(bench),
    ]);
    expect(made).toBe(1);
    expect(kids).toHaveLength(1);
    const keys = createRemoteJWKSet(new URL(jwksUri));
    for (const token of tokens) {
      const currentDate = new Date(bench.clock.nowMs);
      const { protectedHeader } = await jwtVerify(token, keys, { issuer: bench.simulator.issuer, currentDate });
      expect(protectedHeader.kid).toBe(kids[0]);
      const call = await fetch(`${bench.simulator.apiUrl}/whoami`, { headers: { authorization: `Bearer ${token}` } });
      expect(call.status).toBe(200);
    }
    expect(await publishedKids(jwksUri)).toEqual(kids);
    expect(made).toBe(1);
  });

  it('are one for Maskinporten and another for Altinn', async () => {
    const [altinn] = await publishedKids(altinnJwks(bench));
    expect(made).toBe(1);
    expect(await publishedKids(jwkOf(bench))).not.toContain(altinn);
    expect(made).toBe(2);
  });

  it('count as used before the first rotation, unless that drops them', async () => {
    const [first, second] = await Promise.all([
      bench.simulator.operator.rotateSigningKey(),
      bench.simulator.operator.rotateSigningKey(),
    ]);
    const published = await publishedKids(jwkOf(bench));
    expect(published).toEqual([second, first, expect.any(String)]);
    expect(made).toBe(3);
    const other = await startSimulator();
    const only = await other.operator.rotateSigningKey({ dropOld: true });
    expect(await publishedKids(`${other.issuer}jwk`)).toEqual([only]);
    expect(made).toBe(4);
    await other.close();
  });

  it('do not change under a token when a rotation drops the one that is being made', async () => {
    const [token, rotated] = await Promise.all([
      accessToken(bench),
      bench.simulator.operator.rotateSigningKey({ dropOld: true }),
    ]);
    expect(await publishedKids(jwkOf(bench))).toEqual([rotated]);
    expect(decodeProtectedHeader(token).kid).toEqual(expect.any(String));
  });

  it('leave nothing behind when the simulator is closed while one is made', async () => {
    const begun = once(making, 'begun');
    const cut = fetch(jwkOf(bench)).then(
      () => 'answered',
      () => 'cut',
    );
    await begun;
    expect(unfinished.size).toBe(1);
    await Promise.all([bench.close(), bench.close()]);
    expect(await cut).toBe('cut');
    expect(unfinished.size).toBe(0);
    expect(made).toBe(1);
    await expect(bench.simulator.operator.rotateSigningKey()).rejects.toThrow('The simulator is closed.');
    expect(made).toBe(1);
  });
});

describe('signing keys of the caller', () => {
  const [first, second] = [makeKey('a', 3072).privateKey, makeKey('b', 3072).privateKey];
  const altinn = makeKey('c').privateKey;

  it('sign from the start, and each rotation takes the next', async () => {
    const bench = await GrantBench.start({}, { signingKeys: { maskinporten: [first, second], altinn: [altinn] } });
    const kids = [await kidOf(first), await kidOf(second)];
    expect(await publishedKids(jwkOf(bench))).toEqual([kids[0]]);
    expect(await publishedKids(altinnJwks(bench))).toEqual([await kidOf(altinn)]);
    expect(decodeProtectedHeader(await accessToken(bench)).kid).toBe(kids[0]);
    expect(await bench.simulator.operator.rotateSigningKey()).toBe(kids[1]);
    expect(decodeProtectedHeader(await accessToken(bench)).kid).toBe(kids[1]);
    const fresh = await bench.simulator.operator.rotateSigningKey({ dropOld: true });
    expect(kids).not.toContain(fresh);
    expect(await publishedKids(jwkOf(bench))).toEqual([fresh]);
    await bench.close();
  });

  it.each([
    ['a smaller key', { maskinporten: [first, altinn] }, 'signingKeys.maskinporten[1]'],
    ['a larger key', { altinn: [first] }, 'signingKeys.altinn[0]'],
    ['a public key', { maskinporten: [createPublicKey(first)] }, 'signingKeys.maskinporten[0]'],
    ['a key that is listed twice', { maskinporten: [first, first] }, 'signingKeys.maskinporten[1]'],
    ['something else', { maskinporten: ['key'] as unknown as KeyObject[] }, 'signingKeys.maskinporten[0]'],
    ['a key without its list', { altinn: altinn as unknown as KeyObject[] }, 'signingKeys.altinn'],
  ])('may not be %s', async (_what, signingKeys, field) => {
    const error: unknown = await startSimulator({ signingKeys }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ problems: [{ field, reason: expect.any(String) }] });
  });
});
