import { generateKeyPairSync, verify, type JsonWebKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import { describe, expect, it } from '@jest/globals';
import { rsaKeyPair } from '../../../../test/support/pool.js';
import { isMaskinportenError } from '../errors/index.js';
import { makeKey } from './keys.fixtures.js';
import { loadSigningKey, type JwkKeySource } from './index.js';

const key = makeKey();
const jwk: JsonWebKey = { ...key.jwk, kid: 'from-jwk', alg: 'RS256', use: 'sig' };
const json = JSON.stringify(jwk);
const data = Buffer.from('header.claims');

async function refusalOf(source: JwkKeySource): Promise<string> {
  const error: unknown = await loadSigningKey(source).catch((thrown: unknown) => thrown);
  if (!isMaskinportenError(error, 'MP_CONFIG')) throw new Error(`expected MP_CONFIG, got ${String(error)}`);
  return error.message;
}

const without = (name: string): JsonWebKey =>
  Object.fromEntries(Object.entries(jwk).filter(([member]) => member !== name));

describe('JWK keys', () => {
  it.each([
    ['an object', jwk],
    ['JSON', json],
    ['indented JSON with a byte order mark', `\uFEFF${JSON.stringify(jwk, null, 2)}`],
    ['JSON in a JSON string', JSON.stringify(json)],
    ['base64 of the JSON', Buffer.from(json).toString('base64')],
    ['base64url of the JSON', Buffer.from(json).toString('base64url')],
    ['a JWK set with one private key', JSON.stringify({ keys: [{ kty: 'RSA', n: key.jwk.n, e: 'AQAB' }, jwk] })],
    ['a JWK without use, alg and key_ops', JSON.stringify({ ...key.jwk, kid: 'from-jwk' })],
    ['a JWK with key_ops', { ...jwk, key_ops: ['sign'] }],
  ])('loads %s', async (_, form) => {
    const loaded = await loadSigningKey({ jwk: form });
    expect(loaded.kid).toBe('from-jwk');
    expect(verify('sha256', data, key.publicKey, await loaded.sign(data))).toBe(true);
  });

  it('an explicit kid wins over the one in the JWK', async () => {
    expect((await loadSigningKey({ jwk, kid: 'explicit' })).kid).toBe('explicit');
  });

  it.each([
    ['RS384', 'sha384'],
    ['RS512', 'sha512'],
  ])('signs with the alg of the JWK: %s', async (alg, digest) => {
    const loaded = await loadSigningKey({ jwk: { ...jwk, alg } });
    expect(loaded.alg).toBe(alg);
    expect(verify(digest, data, key.publicKey, await loaded.sign(data))).toBe(true);
  });

  it('S-22: the thumbprint is that of RFC 7638', async () => {
    const loaded = await loadSigningKey({ jwk });
    expect(loaded.thumbprint).toBe(await calculateJwkThumbprint({ kty: 'RSA', n: String(jwk.n), e: String(jwk.e) }));
  });

  it('does not change the object it was given', async () => {
    const given = structuredClone(jwk);
    await loadSigningKey({ jwk: given });
    expect(given).toEqual(jwk);
  });
});

describe('JWK keys that are refused', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  const okp = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const small = rsaKeyPair(1024).privateKey.export({ format: 'jwk' });

  it.each([
    ['EC', { ...ec, kid: 'k' }, 'of kty EC'],
    ['Ed25519', { ...okp, kid: 'k' }, 'of kty OKP'],
    ['symmetric', { kty: 'oct', k: 'AAAA', kid: 'k' }, 'symmetric'],
    ['without kty', without('kty'), 'without a known kty'],
    ['1024 bits', { ...small, kid: 'k' }, 'RSA of 1024 bits'],
    ['public only', { kty: 'RSA', n: jwk.n, e: jwk.e, kid: 'k' }, 'public JWK'],
    ['use enc', { ...jwk, use: 'enc' }, 'key.jwk.use'],
    ['key_ops without sign', { ...jwk, key_ops: ['decrypt'] }, 'key.jwk.key_ops'],
    ['alg PS256', { ...jwk, alg: 'PS256' }, 'key.jwk.alg'],
    ['alg HS256', { ...jwk, alg: 'HS256' }, 'key.jwk.alg'],
    ['alg ES256', { ...jwk, alg: 'ES256' }, 'key.jwk.alg'],
    ['alg none', { ...jwk, alg: 'none' }, 'key.jwk.alg'],
    ['no modulus', without('n'), 'key.jwk.n'],
    ['no exponent', without('e'), 'key.jwk.e'],
    ['an exponent without a byte in it', { ...jwk, e: '0' }, 'its public exponent'],
    ['an exponent of one', { ...jwk, e: 'AQ' }, 'its public exponent'],
    ['an even exponent', { ...jwk, e: 'AQAA' }, 'its public exponent'],
    ['d that is not a string', { ...jwk, d: 7 }, 'key.jwk.d'],
    ['more than two primes', { ...jwk, oth: [] }, 'key.jwk.oth'],
    ['no kid', without('kid'), 'key.kid'],
    ['an ill-formed kid', { ...jwk, kid: 'a b' }, 'key.jwk.kid'],
    ['x5c that is no certificate', { ...jwk, x5c: ['AAAA'] }, 'key.jwk.x5c'],
    ['a set without private key', { keys: [{ kty: 'RSA' }] }, 'without a private key'],
    ['a set with two private keys', { keys: [jwk, jwk] }, 'more than one private key'],
    ['a set that is no list', { keys: 'x' }, 'keys member is not a list'],
    ['an array', [jwk], 'not a JSON object'],
  ])('F-116, S-12, S-22: %s', async (_, value, reason) => {
    expect(await refusalOf({ jwk: JSON.stringify(value) })).toContain(reason);
  });

  it.each(['p', 'q', 'dp', 'dq', 'qi'])('S-22: a JWK without %s is refused, naming it', async (name) => {
    expect(await refusalOf({ jwk: without(name) })).toMatch(new RegExp(`CRT members ${name}\\.?$`));
  });

  it('S-22: a private exponent that does not belong to the modulus is found before the first grant', async () => {
    const other = makeKey().jwk;
    expect(await refusalOf({ jwk: { ...jwk, n: String(other.n) } })).toMatch(/key\.jwk: is damaged/);
  });

  describe('a JWK set with several private keys', () => {
    const other = makeKey().jwk;
    const keys = [
      { ...jwk, kid: 'key-2025' },
      { ...other, kid: 'key-2026' },
      { kty: 'RSA', n: jwk.n, e: jwk.e, kid: 'public-only' },
    ];
    const text = JSON.stringify({ keys });

    it.each([
      ['key-2025', jwk.n],
      ['key-2026', other.n],
    ])('F-115: signs with the one that the kid %s names', async (kid, modulus) => {
      const directory = mkdtempSync(join(tmpdir(), 'maskinporten-jwks-'));
      const file = join(directory, 'jwks.json');
      writeFileSync(file, text, { mode: 0o600 });
      for (const source of [
        { jwk: { keys } },
        { jwk: text },
        { jwk: Buffer.from(text).toString('base64') },
        { file },
      ]) {
        const loaded = await loadSigningKey({ ...source, kid });
        expect(loaded.publicKey?.export({ format: 'jwk' }).n).toBe(modulus);
        expect(loaded.kid).toBe(kid);
      }
      rmSync(directory, { recursive: true });
    });

    it('F-115: refuses to guess, and names the kids there are', async () => {
      expect(await refusalOf({ jwk: text })).toContain(
        'key.jwk: is a JWK set with more than one private key, and nothing says which one signs: set kid to one of ' +
          'key-2025, key-2026',
      );
      expect(await refusalOf({ jwk: text, kid: 'public-only' })).toContain(
        'key.kid: is not that of a private key in the JWK set: it holds key-2025, key-2026',
      );
    });

    it('F-115: two with one kid, and two without, are no choice', async () => {
      const same = [
        { ...jwk, kid: 'k' },
        { ...other, kid: 'k' },
      ];
      expect(await refusalOf({ jwk: JSON.stringify({ keys: same }), kid: 'k' })).toContain(
        'key.kid: is that of more than one private key',
      );
      const unnamed = [without('kid'), other];
      expect(await refusalOf({ jwk: JSON.stringify({ keys: unnamed }) })).toContain('give each a kid of its own');
      expect(await refusalOf({ jwk: JSON.stringify({ keys: unnamed }), kid: 'k' })).toContain('which has no kids');
    });

    it('takes the only one that is for signing when the others are for encryption', async () => {
      const set = {
        keys: [
          { ...jwk, kid: 'enc', use: 'enc' },
          { ...other, kid: 'sig', use: 'sig' },
        ],
      };
      expect((await loadSigningKey({ jwk: JSON.stringify(set) })).kid).toBe('sig');
    });
  });

  it('F-113: text that starts like JSON and is not', async () => {
    expect(await refusalOf({ jwk: json.slice(0, -1) })).toContain('is not valid JSON');
  });
});
