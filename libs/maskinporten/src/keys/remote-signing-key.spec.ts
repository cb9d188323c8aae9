import { generateKeyPairSync, sign as signWith, verify } from 'node:crypto';
import { once } from 'node:events';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { rsaKeyPair } from '../../../../test/support/pool.js';
import { createError, isMaskinportenError } from '../errors/index.js';
import { makeKey, TestAuthority } from './keys.fixtures.js';
import { isSignerUnavailable, loadSigningKey, type LoadKeyOptions, type MaskinportenSigner } from './index.js';

const key = makeKey();
const data = Buffer.from('header.claims');
type Sign = MaskinportenSigner['sign'];
const signRs256: Sign = (bytes) => Promise.resolve(signWith('sha256', bytes, key.privateKey));

async function failureOf(sign: Sign, options: LoadKeyOptions & { signal?: AbortSignal } = {}): Promise<unknown> {
  const loaded = await loadSigningKey({ signer: { kid: 'k', publicKey: key.publicKey, sign } }, options);
  const { signal } = options;
  return loaded.sign(data, signal === undefined ? {} : { signal }).catch((thrown: unknown) => thrown);
}

async function refusalOf(signer: unknown): Promise<string> {
  const source = { signer } as { signer: MaskinportenSigner };
  const error: unknown = await loadSigningKey(source).catch((thrown: unknown) => thrown);
  if (!isMaskinportenError(error)) throw new Error(`expected our error, got ${String(error)}`);
  return error.message;
}

describe('remote signers', () => {
  it('signs with what the signer answers, telling it algorithm and signal', async () => {
    const asked: unknown[] = [];
    const sign: Sign = (bytes, options) => {
      asked.push(options);
      return Promise.resolve(signWith('sha512', bytes, key.privateKey));
    };
    const loaded = await loadSigningKey({ signer: { kid: 'k', alg: 'RS512', publicKey: key.publicKey, sign } });
    expect(verify('sha512', data, key.publicKey, await loaded.sign(data))).toBe(true);
    expect(asked).toEqual([{ alg: 'RS512', signal: expect.any(AbortSignal) }]);
    expect(loaded).toMatchObject({ kid: 'k', alg: 'RS512', identity: expect.stringMatching(/^kid:[\w-]{43}:k$/) });
  });

  it('takes the public key as PEM, and does without one', async () => {
    const publicKey = key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const verified = await loadSigningKey({ signer: { kid: 'k', publicKey, sign: signRs256 } });
    expect(verified.publicKey?.equals(key.publicKey)).toBe(true);
    const blind = await loadSigningKey({ signer: { kid: 'k', sign: signRs256 } });
    expect(blind.identity).toBe('kid:-:k');
    expect(await blind.sign(data)).toHaveLength(256);
  });

  it('presents the chain when there is no kid, and verifies with its leaf', async () => {
    const { certificate } = new TestAuthority().issue({ subject: '/CN=X', key });
    const loaded = await loadSigningKey({ signer: { certificateChain: certificate, sign: signRs256 } });
    expect(loaded.x5c).toHaveLength(1);
    const other = makeKey();
    const liar = await loadSigningKey({
      signer: {
        certificateChain: certificate,
        sign: (bytes) => Promise.resolve(signWith('sha256', bytes, other.privateKey)),
      },
    });
    await expect(liar.sign(data)).rejects.toMatchObject({ code: 'MP_SIGNATURE' });
  });

  it('F-114: a chain of another key than the signer’s public key is refused', async () => {
    const { certificate } = new TestAuthority().issue({ subject: '/CN=X' });
    const signer = { publicKey: key.publicKey, certificateChain: certificate, sign: signRs256 };
    expect(await refusalOf(signer)).toContain('key.signer.certificateChain: belongs to another key');
  });

  it.each([
    ['no sign method', { kid: 'k' }, 'must be an object with a sign method'],
    ['nothing', null, 'must be an object with a sign method'],
    ['neither kid nor chain', { sign: signRs256 }, 'key.signer.kid: is missing'],
    ['an ill-formed kid', { kid: 'a b', sign: signRs256 }, 'key.signer.kid'],
    ['another algorithm', { kid: 'k', alg: 'ES256', sign: signRs256 }, 'key.signer.alg'],
    ['a private key as public key', { kid: 'k', publicKey: key.privateKey, sign: signRs256 }, 'is not a public key'],
    ['a public key that is none', { kid: 'k', publicKey: 'x', sign: signRs256 }, 'not a public key in PEM'],
    [
      'an EC public key',
      { kid: 'k', publicKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey, sign: signRs256 },
      'is an EC key',
    ],
    ['a small public key', { kid: 'k', publicKey: rsaKeyPair(1024).publicKey, sign: signRs256 }, 'RSA of 1024 bits'],
  ])('F-116: %s is refused', async (_, signer, reason) => {
    expect(await refusalOf(signer)).toContain(reason);
  });

  it('a signer that fails is unavailable for now, and its error goes no further', async () => {
    const error = await failureOf(() => Promise.reject(new Error('request with secret canary-credential')));
    expect(error).toMatchObject({ code: 'MP_UPSTREAM', retryable: true, actBy: 'you' });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary');
    expect(error).toMatchObject({ failures: [{ field: 'key.signer' }] });
  });

  it('a signer that throws at once, and one that gives our own error, are taken as they are', async () => {
    const atOnce = failureOf(() => {
      throw new TypeError('not today');
    });
    expect(await atOnce).toMatchObject({ code: 'MP_UPSTREAM' });
    const own = createError('MP_THROTTLED', { message: 'slow down' });
    expect(await failureOf(() => Promise.reject(own))).toBe(own);
  });

  it('a signer that is silent is given up and told so', async () => {
    const signals: AbortSignal[] = [];
    const sign: Sign = (_, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    };
    expect(await failureOf(sign, { signerTimeoutMs: 5 })).toMatchObject({ code: 'MP_TIMEOUT', retryable: true });
    expect(signals[0]?.aborted).toBe(true);
  });

  it('a caller that goes stops the signing, before and during', async () => {
    const controller = new AbortController();
    const sign: Sign = () => {
      controller.abort();
      return new Promise(() => {});
    };
    expect(await failureOf(sign, { signal: controller.signal })).toMatchObject({ code: 'MP_ABORTED' });
    expect(await failureOf(signRs256, { signal: AbortSignal.abort() })).toMatchObject({ code: 'MP_ABORTED' });
  });

  it.each([
    ['timeoutMs', 0],
    ['timeoutMs', 60_001],
    ['concurrency', 65],
    ['concurrency', 1.5],
    ['maxWaiting', -1],
    ['maxWaiting', '5'],
  ])('%s of %p is refused', async (name, value) => {
    expect(await refusalOf({ kid: 'k', sign: signRs256, [name]: value })).toContain(`key.signer.${name}: must be`);
  });

  it('its own limit of time wins', async () => {
    const signer = { kid: 'k', timeoutMs: 5, sign: () => new Promise<Uint8Array>(() => {}) };
    const loaded = await loadSigningKey({ signer }, { signerTimeoutMs: 60_000 });
    await expect(loaded.sign(data)).rejects.toMatchObject({
      code: 'MP_TIMEOUT',
      message: expect.stringContaining('5 ms'),
    });
  });

  it('one queue for each signer, whoever uses it: bounded, and whoever comes too late is told at once', async () => {
    const signer = { kid: 'k', concurrency: 1, maxWaiting: 1, sign: signRs256 };
    const [first, second] = await Promise.all([loadSigningKey({ signer }), loadSigningKey({ signer })]);
    expect(first.gate).toBe(second.gate);
    expect(first.gate).not.toBe((await loadSigningKey({ signer: { ...signer } })).gate);
    const controller = new AbortController();
    const running = first.gate?.run(async () => void (await once(controller.signal, 'abort')));
    const waiting = second.gate?.run(() => Promise.resolve('signed'));
    await expect(first.gate?.run(() => Promise.resolve('never'))).rejects.toMatchObject({
      code: 'MP_THROTTLED',
      retryable: true,
      actBy: 'you',
      failures: [{ field: 'key.signer' }],
    });
    controller.abort();
    await running;
    expect(await waiting).toBe('signed');
  });

  it.each([
    ['that fails', () => Promise.reject(new Error('away')), true],
    ['that is silent', () => new Promise<Uint8Array>(() => {}), true],
    ['that is throttled', () => Promise.reject(createError('MP_THROTTLED', { message: 'slow' })), true],
    ['whose PIN is wrong', () => Promise.reject(createError('MP_CONFIG', { message: 'PIN' })), true],
    ['that may not use its key', () => Promise.reject(createError('MP_SIGNATURE', { message: 'denied' })), false],
    ['that signs wrongly', () => Promise.resolve(new Uint8Array(256)), false],
  ] satisfies [string, Sign, boolean][])('a signer %s is known to be away or not', async (_, sign, away) => {
    expect(isSignerUnavailable(await failureOf(sign, { signerTimeoutMs: 5 }))).toBe(away);
  });

  it.each([
    ['a string', 'signature'],
    ['nothing', undefined],
    ['an ArrayBuffer', new ArrayBuffer(256)],
    ['other bytes', new Uint8Array(256)],
    ['too few bytes', new Uint8Array(3)],
  ])('%s instead of a signature is MP_SIGNATURE', async (_, answer) => {
    const sign = (): Promise<Uint8Array> => Promise.resolve(answer as Uint8Array);
    expect(await failureOf(sign)).toMatchObject({ code: 'MP_SIGNATURE', retryable: false });
  });
});
