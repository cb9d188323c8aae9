import { setImmediate } from 'node:timers/promises';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs, sized } from '../../../../test/support/size.js';
import { isMaskinportenError } from '../errors/index.js';
import { IterationBudget } from '../key-files/iteration-budget.js';
import { makeKey, TestAuthority } from './keys.fixtures.js';
import { hasLegacyProvider, LEGACY, needs, opensslPkcs12, placesOf, plainPkcs12 } from './pkcs12.fixtures.js';
import { loadSigningKey, type KeySource } from './index.js';

const key = makeKey();
const { certificate } = new TestAuthority().issue({ subject: '/CN=Test', key });
const both = key.pem + certificate;
const canary = 'Kanarifugl0123456789Kanarifugl';
/** One iteration each, so that a thousand damaged copies take seconds. */
const quick = ['-iter', '1'];
const sealed = opensslPkcs12(both, canary, quick);
const open = plainPkcs12([key.privateKey], [certificate]);

const outcomeOf = (source: KeySource): Promise<unknown> => loadSigningKey(source).catch((error: unknown) => error);

async function refusalOf(pkcs12: Buffer, passphrase = canary): Promise<string> {
  const error = await outcomeOf({ pkcs12, passphrase, allowMissingMac: true });
  if (!isMaskinportenError(error, 'MP_CONFIG')) throw new Error(`expected MP_CONFIG, got ${String(error)}`);
  return error.message;
}

/** INTEGER 65536 becomes another of three bytes, in the last place it stands (the MAC) or in all. */
function withIterations(pfx: Buffer, iterations: number, places: 'mac' | 'all'): Buffer {
  const copy = Buffer.from(pfx);
  const found = placesOf(Buffer.from('0203010000', 'hex'), copy);
  expect(found.length).toBeGreaterThan(0);
  for (const at of places === 'mac' ? found.slice(-1) : found) copy.writeUIntBE(iterations, at + 2, 3);
  return copy;
}

const lengthOf = (size: number): Buffer => Buffer.from([0x83, size >> 16, (size >> 8) & 0xff, size & 0xff]);
const sequence = (content: Buffer, tag = 0x30): Buffer =>
  Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);

/** Copies with one to four bits flipped. */
const flips = (pfx: Buffer): fc.Arbitrary<Buffer> =>
  fc.array(fc.record({ at: fc.nat(pfx.length - 1), bit: fc.nat(7) }), { minLength: 1, maxLength: 4 }).map((places) => {
    const copy = Buffer.from(pfx);
    for (const { at, bit } of places) copy[at] = (copy[at] ?? 0) ^ (1 << bit);
    return copy;
  });

/** How often the event loop came round while `work` was going on. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  const state = { turns: 0, done: false };
  const finished = work.finally(() => {
    state.done = true;
  });
  while (!state.done) {
    await setImmediate();
    state.turns += 1;
  }
  await finished;
  return state.turns;
}

describe('F-120: PKCS#12 that asks for too much', () => {
  it.each([
    ['for its MAC', []],
    ['for its certificates and its key', ['-nomac']],
    ['with Triple DES', ['-nomac', '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES']],
  ])('more than 2,000,000 iterations %s are refused before they are done', async (_, args) => {
    const pfx = opensslPkcs12(both, canary, ['-iter', '65536', ...args]);
    const hostile = withIterations(pfx, 2_000_001, args.length === 0 ? 'mac' : 'all');
    expect(await refusalOf(hostile)).toMatch(
      /key\.pkcs12: asks for 2000001 key derivation iterations, at most 2000000/,
    );
  });

  it('many iterations of a MAC are done, and meanwhile the event loop goes round', async () => {
    const iterations = sized({ test: 200_000, soak: 2_000_000 });
    const hostile = withIterations(opensslPkcs12(both, canary, ['-iter', '65536']), iterations, 'mac');
    const refusal = refusalOf(hostile);
    expect(await turnsDuring(refusal)).toBeGreaterThan(iterations / 65_000);
    expect(await refusal).toContain('key.passphrase: is wrong, or the PKCS#12 file is damaged');
  });

  it('the sum of what all parts of one file ask for is bounded too', () => {
    const budget = new IterationBudget('pkcs12');
    for (let part = 0; part < 3; part += 1) expect(budget.take(2_000_000)).toBe(2_000_000);
    expect(() => budget.take(1)).toThrow('asks for more than 6000000 key derivation iterations in all');
    for (const wrong of [0, -1, 1.5, '65536', undefined]) {
      expect(() => new IterationBudget('pkcs12').take(wrong)).toThrow('is not a number');
    }
  });

  it('PBKDF2 of many iterations leaves the event loop alone', async () => {
    const pfx = opensslPkcs12(both, canary, ['-iter', '300000', '-nomac']);
    const loaded = outcomeOf({ pkcs12: pfx, passphrase: canary, allowMissingMac: true });
    expect(await turnsDuring(loaded)).toBeGreaterThan(10);
    expect(await loaded).toMatchObject({ alg: 'RS256' });
  });

  needs('the legacy provider of OpenSSL', hasLegacyProvider(), () => {
    it('RC2 over a large certificate leaves the event loop alone', async () => {
      const names = Array.from(
        { length: sized({ test: 400, soak: 1_200 }) },
        (_, index) => `DNS:host-${index}.example.no`,
      );
      const large = new TestAuthority().issue({ subject: '/CN=Test', key, subjectAltName: names.join() });
      const pfx = opensslPkcs12(key.pem + large.certificate, canary, [...LEGACY, ...quick]);
      const loaded = outcomeOf({ pkcs12: pfx, passphrase: canary });
      expect(await turnsDuring(loaded)).toBeGreaterThan(4);
      expect(await loaded).toMatchObject({ alg: 'RS256' });
    });
  });

  it('ten megabytes are refused unread, as bytes and as base64', async () => {
    const large = Buffer.concat([sealed, Buffer.alloc(10 * 1024 * 1024)]);
    expect(await refusalOf(large)).toContain('key.pkcs12: is larger than 1 MiB');
    const error = await outcomeOf({ pkcs12: large.toString('base64'), passphrase: canary });
    expect(error).toMatchObject({ code: 'MP_CONFIG', failures: [{ reason: 'is larger than 1 MiB' }] });
  });

  const version = Buffer.from('020103', 'hex');
  const nested = (tag: number): Buffer => {
    let content: Buffer = Buffer.alloc(0);
    for (let depth = 0; depth < 5_000; depth += 1) content = sequence(content, tag);
    return content;
  };

  it.each([
    ['half a million elements', sequence(Buffer.concat([version, Buffer.alloc(1_000_000, Buffer.from([5, 0]))]))],
    ['sequences five thousand deep', sequence(Buffer.concat([version, nested(0x30)]))],
    ['octet strings in pieces, five thousand deep', sequence(Buffer.concat([version, nested(0x24)]))],
    ['a length beyond its end', Buffer.from('3084ffffffff020103', 'hex')],
    [
      'an indefinite length without an end',
      Buffer.concat([Buffer.from('3080020103', 'hex'), Buffer.alloc(900_000, 0x30)]),
    ],
  ])('%s are refused', async (_, pfx) => {
    expect(await refusalOf(pfx)).toContain('is damaged: its ASN.1 structure');
  });
});

describe('F-113, T-10: damaged PKCS#12 is refused as MP_CONFIG and tells nothing', () => {
  const pieces = key.pem
    .split('\n')
    .slice(2, -2)
    .map((line) => line.slice(0, 30));

  async function expectRefused(pkcs12: Buffer): Promise<void> {
    const error = await outcomeOf({ pkcs12, passphrase: canary, allowMissingMac: true });
    expect(error).toMatchObject({ code: 'MP_CONFIG' });
    const shown = inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error) + String(error);
    for (const secret of [canary, ...pieces]) expect(shown).not.toContain(secret);
  }

  it('cut off anywhere', async () => {
    for (const pfx of [sealed, open]) {
      // Every structure near the beginning and the end, and a prime number of bytes apart in between.
      const near = (end: number): boolean => end < 80 || end > pfx.length - 120;
      const step = sized({ test: 17, soak: 1 });
      for (let end = 0; end < pfx.length; end += near(end) ? 1 : step) {
        const error = await outcomeOf({ pkcs12: pfx.subarray(0, end), passphrase: canary, allowMissingMac: true });
        expect(isMaskinportenError(error, 'MP_CONFIG') ? end : error).toBe(end);
      }
    }
  });

  it('a wrong passphrase, a cut and a flipped MAC quote neither passphrase nor key', async () => {
    await expectRefused(opensslPkcs12(both, `${canary}x`, quick));
    await expectRefused(sealed.subarray(0, sealed.length - 40));
    const flipped = Buffer.from(sealed);
    flipped[flipped.length - 20] = (flipped[flipped.length - 20] ?? 0) ^ 1;
    await expectRefused(flipped);
  });

  it('property: flipped bits in a file with a MAC never load another key', async () => {
    await fc.assert(
      fc.asyncProperty(flips(sealed), async (pkcs12) => {
        const outcome = await outcomeOf({ pkcs12, passphrase: canary, kid: 'k' });
        const expected = outcome instanceof Error ? { code: 'MP_CONFIG' } : { publicKey: key.publicKey };
        expect(outcome).toMatchObject(expected);
      }),
      { numRuns: runs(150) },
    );
  });

  it('property: flipped bits in a file that nothing protects load or are refused, and never crash', async () => {
    await fc.assert(
      fc.asyncProperty(flips(open), async (pkcs12) => {
        const outcome = await outcomeOf({ pkcs12, passphrase: canary, kid: 'k', allowMissingMac: true });
        expect(outcome).toMatchObject(outcome instanceof Error ? { code: 'MP_CONFIG' } : { kid: 'k' });
      }),
      { numRuns: runs(60) },
    );
  });
});
