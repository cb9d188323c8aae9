import { afterEach, describe, expect, it } from '@jest/globals';
import { normaliseTokenRequest } from '../grants/index.js';
import { Demand } from './index.js';
import { answer, refusal, type Misbehaviour } from './strict-token-endpoint.fixtures.js';
import { startBench, type Bench } from './token-endpoint.fixtures.js';

const request = normaliseTokenRequest('a:b');
let bench: Bench;
const fetchToken = (): Promise<unknown> =>
  bench.endpoint.fetchToken(request, new Demand()).catch((error: unknown) => error);
const kids = (): unknown[] => bench.server.grants.map(({ kid }) => kid);
const fallbacks = (): unknown[] => bench.events.filter(({ type }) => type === 'key-fallback');
const granted = answer(200, { access_token: 'abc', token_type: 'Bearer', expires_in: 120 });
/** Refuses some keys and accepts the others. */
const refusing =
  (mpCode: string, ...refused: string[]): Misbehaviour =>
  (response, incoming) => {
    const { kid = '' } = bench.server.grants.at(-1) ?? {};
    (refused.includes(kid) ? refusal(mpCode) : granted)(response, incoming);
  };

afterEach(async () => {
  await bench.close();
});

describe('key fallback', () => {
  it.each(['MP-121', 'MP-124'])(
    'F-53, F-54: a key refused with %s gives way to the previous one, once',
    async (mpCode) => {
      bench = await startBench({ keys: 2, retry: { attempts: 1 } });
      bench.server.always = refusing(mpCode, 'kid-0');
      expect(await fetchToken()).toMatchObject({ kid: 'kid-1', attempts: 2 });
      expect(fallbacks()).toEqual([expect.objectContaining({ fromKid: 'kid-0', toKid: 'kid-1' })]);
      expect(await fetchToken()).toMatchObject({ kid: 'kid-1', attempts: 1 });
      expect(kids()).toEqual(['kid-0', 'kid-1', 'kid-1']);
    },
  );

  it('F-54: when every key is refused each was tried once, and later operations try the last one only', async () => {
    bench = await startBench({ keys: 3 });
    bench.server.always = refusal('MP-124');
    expect(await fetchToken()).toMatchObject({ code: 'MP_SIGNATURE', kid: 'kid-2' });
    await fetchToken();
    expect(kids()).toEqual(['kid-0', 'kid-1', 'kid-2', 'kid-2']);
  });

  it('F-54: operations that are under way when the key changes all move to the same key', async () => {
    bench = await startBench({ keys: 3 });
    bench.server.always = refusing('MP-124', 'kid-0');
    const tokens = await Promise.all(Array.from({ length: 6 }, fetchToken));
    expect(tokens.map((token) => (token as { kid: string }).kid)).toEqual(Array.from({ length: 6 }, () => 'kid-1'));
    expect(bench.keys.generation).toBe(1);
    expect(fallbacks().length).toBeGreaterThanOrEqual(1);
  });

  it('F-50: a client that is unknown with a key never accepted is tried with the old key once', async () => {
    bench = await startBench({ keys: 2 });
    bench.server.always = refusing('MP-100', 'kid-0');
    expect(await fetchToken()).toMatchObject({ kid: 'kid-1', attempts: 2 });
    expect(fallbacks()).toEqual([expect.objectContaining({ fromKid: 'kid-0', toKid: 'kid-1' })]);
    expect(await fetchToken()).toMatchObject({ kid: 'kid-1', attempts: 1 });
  });

  it('F-50: an unknown client costs no key: when it is known again the current key is used', async () => {
    bench = await startBench({ keys: 2 });
    bench.server.always = refusal('MP-100');
    expect(await fetchToken()).toMatchObject({ code: 'MP_CLIENT_UNKNOWN', attempts: 2 });
    bench.server.always = granted;
    expect(await fetchToken()).toMatchObject({ kid: 'kid-0' });
    expect(fallbacks()).toEqual([]);
    bench.server.always = refusal('MP-100');
    expect(await fetchToken()).toMatchObject({ code: 'MP_CLIENT_UNKNOWN', attempts: 1 });
  });

  it('F-52: keys that are named by their certificates have no kid to tell of', async () => {
    bench = await startBench({ keys: 2 });
    bench.server.keyless = true;
    for (const key of [bench.keys.current, ...bench.keys.others])
      Object.defineProperty(key, 'kid', { value: undefined });
    bench.server.script = [refusal('MP-124')];
    const token = await fetchToken();
    expect(token).toMatchObject({ accessToken: expect.any(String), attempts: 2 });
    expect(token).not.toHaveProperty('kid');
    expect(fallbacks()).toEqual([{ type: 'key-fallback', error: expect.objectContaining({ code: 'MP_SIGNATURE' }) }]);
  });
});

describe('a key whose HSM or KMS is away', () => {
  let away = true;
  const sign = (_: Uint8Array, signed: () => Uint8Array): Promise<Uint8Array> =>
    away ? Promise.reject(new Error('device removed')) : Promise.resolve(signed());

  it('lets the next key sign within the same call, and signs again as soon as it is back', async () => {
    away = true;
    bench = await startBench({ keys: 2, sign, retry: { attempts: 1 } });
    expect(await fetchToken()).toMatchObject({ kid: 'kid-1', attempts: 2 });
    expect(await fetchToken()).toMatchObject({ kid: 'kid-1', attempts: 2 });
    expect(fallbacks()).toHaveLength(2);
    expect(fallbacks()[0]).toMatchObject({ fromKid: 'kid-0', toKid: 'kid-1', error: { code: 'MP_UPSTREAM' } });
    away = false;
    expect(await fetchToken()).toMatchObject({ kid: 'kid-0', attempts: 1 });
    expect([bench.keys.generation, bench.keys.fallback]).toEqual([0, false]);
  });

  it('alone: the call fails for now, after its attempts, and nothing was sent', async () => {
    away = true;
    bench = await startBench({ keys: 1, sign });
    expect(await fetchToken()).toMatchObject({ code: 'MP_UPSTREAM', retryable: true, attempts: 3 });
    expect(kids()).toEqual([]);
  });

  it.each(['MP-124', 'MP-121', 'MP-100'])(
    'whose stand-in Maskinporten refuses with %s is what the call fails of: it helps to wait',
    async (code) => {
      away = true;
      bench = await startBench({ keys: 2, sign, retry: { attempts: 2 } });
      bench.server.always = refusing(code, 'kid-1');
      expect(await fetchToken()).toMatchObject({ code: 'MP_UPSTREAM', retryable: true });
      expect(kids()).toEqual(['kid-1']);
      away = false;
      expect(await fetchToken()).toMatchObject({ kid: 'kid-0' });
    },
  );

  it('is not replaced by a key that was refused a moment ago', async () => {
    away = false;
    bench = await startBench({ keys: 2, sign });
    bench.server.always = refusing('MP-124', 'kid-0');
    await fetchToken();
    expect(bench.keys.standInFor(bench.keys.current)).toBeUndefined();
  });
});
