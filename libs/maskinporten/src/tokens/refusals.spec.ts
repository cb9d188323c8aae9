import { createPublicKey } from 'node:crypto';
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { isMaskinportenError } from '../errors/index.js';
import { makeKey, TestAuthority } from '../keys/keys.fixtures.js';
import { answer, refusal, type Misbehaviour } from '../token-endpoint/strict-token-endpoint.fixtures.js';
import { Gate, keySource, startService, turns, until, type ServiceBench } from './token-service.fixtures.js';

let bench: ServiceBench;
const ask = (scope = 'a'): Promise<unknown> => bench.service.getToken(scope).catch((error: unknown) => error);

afterEach(async () => {
  await bench.close();
});

describe('refusals are remembered', () => {
  // prettier-ignore
  it.each<readonly [string, Misbehaviour, number]>([
    ['MP_CLIENT_UNKNOWN', refusal('MP-100'), 30_000],
    ['MP_SCOPE', refusal('MP-200', 'invalid_scope'), 30_000],
    ['MP_KEY_EXPIRED', refusal('MP-121'), 30_000],
    ['MP_NOT_GRANTED', refusal('MP-250', 'forbidden', 403), 30_000],
    ['MP_NOT_DELEGATED', refusal('MP-251', 'forbidden', 403), 15_000],
    ['MP_SYSTEMUSER_MISSING', refusal('MP-303', 'invalid_altinn_customer_configuration'), 2_000],
    ['MP_PROTOCOL', answer(200, '<html>'), 1_000],
    ['MP_REDIRECT', answer(302, ''), 1_000],
  ])('F-58…F-62: %s', async (code, misbehaviour, ms) => {
    bench = await startService();
    bench.server.always = misbehaviour;
    expect(await ask()).toMatchObject({ code, attempts: 1, jti: bench.server.jtis[0] });
    bench.clock.advance(ms - 1);
    const remembered = await ask();
    expect(remembered).toMatchObject({ code, attempts: 0, elapsedMs: 0 });
    expect(remembered).not.toBe(await ask());
    expect(bench.requests()).toBe(1);
    expect(bench.count('token-refused')).toBe(1);
    bench.clock.advance(1);
    expect(await ask()).toMatchObject({ code, attempts: 1 });
    expect(bench.requests()).toBe(2);
  });

  it.each([
    [0, 24_000],
    [0.999_999, 35_999],
  ])('for 30 s give or take a fifth (random %d: %i ms)', async (random, ms) => {
    bench = await startService({ random: () => random });
    bench.server.always = refusal('MP-250', 'forbidden', 403);
    await ask();
    bench.clock.advance(ms - 1);
    await ask();
    expect(bench.requests()).toBe(1);
    bench.clock.advance(2);
    await ask();
    expect(bench.requests()).toBe(2);
  });

  it('F-58, F-64: per request: others are unaffected', async () => {
    bench = await startService();
    bench.server.script = [refusal('MP-200', 'invalid_scope')];
    await ask('a');
    expect(await ask('b')).toHaveProperty('value');
    expect(await ask('a')).toMatchObject({ code: 'MP_SCOPE' });
  });

  it('F-39: a transient failure is not: the circuit answers, and tells it once', async () => {
    bench = await startService({ random: () => 0 });
    bench.server.always = answer(503, '');
    await ask();
    const errors = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(`a:${index}`)));
    for (const error of errors) expect(error).toMatchObject({ code: 'MP_UPSTREAM', attempts: 0, retryAfterMs: 500 });
    expect(bench.requests()).toBe(3);
    expect(bench.count('token-refused')).toBe(1);
    expect(bench.count('circuit')).toBe(1);
  });

  it('is forgotten when another key takes over', async () => {
    bench = await startService({ key: [keySource(0), keySource(1)] });
    bench.server.script = [refusal('MP-250', 'forbidden', 403)];
    const held = await bench.service.getToken('held').catch((error: unknown) => error);
    expect(held).toMatchObject({ code: 'MP_NOT_GRANTED' });
    await ask('other');
    expect(bench.service.cachedTokens).toBe(1);
    bench.server.script = [refusal('MP-124')];
    expect(await ask('third')).toHaveProperty('value');
    // The token that the refused key obtained is gone too: the key is part of what it was cached under.
    expect(bench.service.cachedTokens).toBe(1);
    expect(await ask('held')).toHaveProperty('value');
    expect(bench.server.grants.map(({ kid }) => kid)).toEqual(['kid-0', 'kid-0', 'kid-0', 'kid-1', 'kid-1']);
  });

  it('is forgotten when a forced refresh succeeds', async () => {
    bench = await startService();
    bench.server.script = [refusal('MP-250', 'forbidden', 403)];
    await ask();
    await expect(bench.service.getToken('a', { forceRefresh: true })).resolves.toHaveProperty('value');
    expect(await ask()).toHaveProperty('value');
    expect(bench.requests()).toBe(2);
  });

  it('T-70: bounded, however many requests are refused', async () => {
    bench = await startService({ tokens: { maxEntries: 2 } });
    bench.server.always = refusal('MP-250', 'forbidden', 403);
    for (const scope of ['a', 'b', 'c']) await ask(scope);
    await ask('c');
    await ask('b');
    expect(bench.requests()).toBe(3);
    await ask('a');
    expect(bench.requests()).toBe(4);
  });
});

const changed = (): Promise<void> =>
  new Promise((resolve) => {
    const stop = bench.service.onEvent(({ type }) => {
      if (type !== 'key-changed') return;
      stop();
      resolve();
    });
  });

describe('a refusal belongs to the key that was refused', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'maskinporten-refused-')), 'certificate.pem');
  const root = new TestAuthority('/C=NO/CN=Root');
  const authority = new TestAuthority('/C=NO/CN=Intermediate', root);
  const key = makeKey();
  const renew = (): string => authority.issue({ subject: '/C=NO/CN=Leaf', key }).certificate;
  const put = (...certificates: string[]): void => {
    // Moved into its place, so that no look at it sees half a file.
    writeFileSync(`${file}.new`, key.pem + certificates.join(''), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  };
  const start = async (): Promise<void> => {
    bench = await startService({ key: { file, watch: { intervalMs: 100 } } });
    bench.server.trust(createPublicKey(key.pem));
  };

  it('F-58, F-117: what the old certificate was refused for is not remembered when the new one signs', async () => {
    put(renew());
    await start();
    const gate = new Gate(refusal('MP-120'));
    bench.server.script = [gate.hold];
    const underWay = ask();
    await until(() => gate.held === 1);
    const change = changed();
    put(renew());
    await change;
    gate.release();
    expect(await underWay).toMatchObject({ code: 'MP_CERTIFICATE', attempts: 1 });
    expect(await ask()).toHaveProperty('value');
    expect(bench.requests()).toBe(2);
  });

  it('nor when the chain of the same certificate is completed', async () => {
    const leaf = renew();
    put(leaf);
    await start();
    // What it lacks is the certificate that signed the leaf: the server refuses a chain of one.
    bench.server.always = (response, request) => {
      const [header = ''] = (bench.server.grants.at(-1)?.assertion ?? '').split('.');
      const { x5c } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { x5c: string[] };
      (x5c.length > 1 ? bench.server.grant : refusal('MP-120'))(response, request);
    };
    expect(await ask()).toMatchObject({ code: 'MP_CERTIFICATE', attempts: 1 });
    expect(await ask()).toMatchObject({ code: 'MP_CERTIFICATE', attempts: 0 });
    put(leaf, authority.certificate);
    // The clock stands still: nothing but the new chain ends the memory.
    // Until the answers of this test have ended with it: one that waits in vain ends with its time-out.
    const { server } = bench;
    while (server.listening && isMaskinportenError(await ask())) await turns(1);
    expect(bench.requests()).toBe(2);
  });
});
