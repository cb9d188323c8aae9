import { beforeAll, describe, expect, it } from '@jest/globals';
import { compactVerify, decodeProtectedHeader } from 'jose';
import { rsaKeyPair } from '../../../../test/support/pool.js';
import { sized } from '../../../../test/support/size.js';
import { loadSigningKey, ConcurrencyGate, type SigningKey } from '../keys/index.js';
import { AssertionFactory, normaliseTokenRequest, type NormalisedTokenRequest } from './index.js';

const { privateKey, publicKey } = rsaKeyPair();
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const signal = new AbortController().signal;
const request = (): NormalisedTokenRequest => normaliseTokenRequest('a:b');
let key: SigningKey;

beforeAll(async () => {
  key = await loadSigningKey({ pem, kid: 'a-kid' });
});

function factory(options: { nowMs?: () => number; gate?: ConcurrencyGate } = {}): AssertionFactory {
  const { nowMs = () => 1_795_000_000_000, gate = new ConcurrencyGate() } = options;
  return new AssertionFactory({ issuer: 'https://test.maskinporten.no/', clientId: 'a-client', nowMs, gate });
}

/** Signs nothing; for tests that need many or odd keys. */
const stubKey = (sign: SigningKey['sign'] = async () => new Uint8Array(1)): SigningKey => ({
  alg: 'RS256',
  x5c: ['MIIleaf', 'MIIroot'],
  identity: 'stub',
  sign,
});

/** Takes the only slot of a gate until it is released. */
function occupy(gate: ConcurrencyGate): { busy: Promise<void>; release: () => void } {
  const abort = new AbortController();
  const busy = gate.run(() => new Promise<void>((resolve) => abort.signal.addEventListener('abort', () => resolve())));
  return { busy, release: () => abort.abort() };
}

describe('AssertionFactory', () => {
  it('signs what an independent library verifies, with alg and kid alone in the header', async () => {
    const { value, jti, kid } = await factory().create(request(), key, signal);
    const { payload, protectedHeader } = await compactVerify(value, publicKey);
    expect(protectedHeader).toEqual({ alg: 'RS256', kid: 'a-kid' });
    const claims = JSON.parse(Buffer.from(payload).toString()) as unknown;
    expect(claims).toMatchObject({ iss: 'a-client', scope: 'a:b', jti, iat: 1_795_000_000 });
    expect(kid).toBe('a-kid');
  });

  it('names a certificate key by its chain', async () => {
    const assertion = await factory().create(request(), stubKey(), signal);
    expect(decodeProtectedHeader(assertion.value)).toEqual({ alg: 'RS256', x5c: ['MIIleaf', 'MIIroot'] });
    expect(assertion).not.toHaveProperty('kid');
  });

  it('S-04: every assertion has a jti of its own, a random UUID', async () => {
    const seen = new Set<string>();
    const assertions = factory();
    const unsigned = stubKey();
    const same = request();
    const count = sized({ test: 10_000, soak: 200_000 });
    for (let made = 0; made < count; made += 1) {
      const { jti } = await assertions.create(same, unsigned, signal);
      seen.add(jti);
    }
    expect(seen.size).toBe(count);
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect([...seen].filter((jti) => !uuid.test(jti))).toEqual([]);
  });

  it('reads the clock when a signing slot is free, not when it begins to wait', async () => {
    const gate = new ConcurrencyGate(1);
    let now = 1_000_000;
    const nowMs = (): number => now;
    const { busy, release } = occupy(gate);
    const waiting = factory({ nowMs, gate }).create(request(), key, signal);
    now += 60_000;
    release();
    await busy;
    const { payload } = await compactVerify((await waiting).value, publicKey);
    expect(JSON.parse(Buffer.from(payload).toString())).toMatchObject({ iat: 1_060, exp: 1_160 });
  });

  it('one clock reading makes both times, also across a second boundary', async () => {
    let reads = 0;
    const nowMs = (): number => 999 + 900 * reads++;
    const { value } = await factory({ nowMs }).create(request(), key, signal);
    const { payload } = await compactVerify(value, publicKey);
    expect(JSON.parse(Buffer.from(payload).toString())).toMatchObject({ iat: 0, exp: 100 });
  });

  it('a signer learns when the caller leaves', async () => {
    const { signal: own } = new AbortController();
    let given: AbortSignal | undefined;
    const curious = stubKey(async (_, options) => {
      given = options?.signal;
      return new Uint8Array(1);
    });
    await factory().create(request(), curious, own);
    expect(given).toBe(own);
  });

  it('makes nothing when the caller has left while it waited', async () => {
    const gate = new ConcurrencyGate(1);
    const abort = new AbortController();
    const { busy, release } = occupy(gate);
    let signed = 0;
    const counting = stubKey(async () => {
      signed += 1;
      return new Uint8Array(1);
    });
    const waiting = factory({ gate }).create(request(), counting, abort.signal);
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'MP_ABORTED' });
    release();
    await busy;
    expect(signed).toBe(0);
    expect(gate.running).toBe(0);
  });
});
