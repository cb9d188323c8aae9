import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs, sized } from '../../../../test/support/size.js';
import { compileRooms } from './compiled-rooms.fixtures.js';
import { makeKey } from './keys.fixtures.js';
import { opensslPkcs12 } from './pkcs12.fixtures.js';
import { KeyRing, loadSigningKey, ConcurrencyGate, type KeySource } from './index.js';

const key = makeKey(2048);
const pem = key.pem;
const jwk = { ...key.jwk, kid: 'k' };
const canary = 'Kanarifugl0123456789Kanarifugl';
/** Pieces of the private key in each form it may appear in. */
const secrets = [
  ...pem.split('\n').slice(2, -2),
  ...(['d', 'p', 'q', 'dp', 'dq', 'qi'] as const).map((member) => String(key.jwk[member])),
].map((piece) => piece.slice(0, 40));

const errorOf = (source: KeySource): Promise<unknown> => loadSigningKey(source).catch((error: unknown) => error);
const everythingShown = (value: unknown): string =>
  [
    inspect(value, { depth: 20, showHidden: true, getters: true }),
    JSON.stringify(value),
    String(value),
    value instanceof Error ? `${value.message}${value.stack}${String(value.cause)}` : '',
  ].join('\n');

const million = (unit: string): string => unit.repeat(Math.floor(1_000_000 / unit.length));

describe('secrecy of loaded keys', () => {
  it('T-06: no object of this room shows key material', async () => {
    const sources: KeySource[] = [{ pem, kid: 'k' }, { jwk }, { jwk: JSON.stringify(jwk) }];
    for (const source of sources) {
      const loaded = await loadSigningKey(source);
      const text = everythingShown([loaded, new KeyRing([loaded]), new ConcurrencyGate()]);
      for (const secret of secrets) expect(text).not.toContain(secret);
      expect(Object.keys(loaded)).not.toContain('key');
    }
  });

  it('T-06: what hangs on the loaded key cannot give the private half', async () => {
    const loaded = await loadSigningKey({ pem, kid: 'k' });
    expect(loaded.publicKey?.type).toBe('public');
    expect(Object.values(loaded).filter((value) => inspect(value).includes('PrivateKeyObject'))).toEqual([]);
    expect(() => structuredClone({ ...loaded, publicKey: undefined })).not.toThrow();
  });

  it.each<[string, KeySource]>([
    ['JSON', { jwk: `{"kty":"RSA","d":"${canary}"` }],
    ['JSON that is no key', { jwk: `{"kty":"${canary}"}` }],
    ['a JWK with odd members', { jwk: { ...jwk, use: canary } }],
    ['a JWK with an odd alg', { jwk: { ...jwk, alg: canary } }],
    ['a JWK with a damaged d', { jwk: { ...jwk, d: `${canary}!` } }],
    ['a JWK kid', { jwk: { ...jwk, kid: `${canary}\n` } }],
    ['a kid', { pem, kid: `${canary}\n` }],
    ['a PEM label', { pem: `-----BEGIN ${canary}-----\nAAAA\n-----END ${canary}-----`, kid: 'k' }],
    ['a PEM body', { pem: pem.replace('\n', `\n${canary}!`), kid: 'k' }],
    ['a PEM that is cut off', { pem: `-----BEGIN PRIVATE KEY-----\n${canary}`, kid: 'k' }],
    ['a DEK-Info', { pem: encryptedPemWith(`AES-256-CBC,${canary}`), kid: 'k', passphrase: canary }],
    ['prose', { pem: `${canary} is not a key!`, kid: 'k' }],
    ['base64 of prose', { pem: Buffer.from(`${canary} ?`).toString('base64'), kid: 'k' }],
    ['a wrong passphrase', { pem: encryptedPem(), kid: 'k', passphrase: `${canary}x` }],
    ['a path', { file: `/nowhere\n${canary}`, kid: 'k' }],
    ['a registration date', { pem, kid: 'k', registeredAt: canary }],
    ['a certificate', { pem, certificateChain: canary }],
  ])('T-10: a refusal of %s does not quote it', async (_, source) => {
    const error = await errorOf(source);
    expect(error).toMatchObject({ code: 'MP_CONFIG' });
    expect(everythingShown(error)).not.toContain(canary);
  });

  const hostile = [
    '-----BEGIN ',
    '-----BEGIN A-----',
    '-----BEGIN A----------END A-----',
    '-----BEGIN PRIVATE KEY-----\n',
    '-----END PRIVATE KEY-----',
    'Proc-Type: 4,ENCRYPTED\n',
    '\\',
    String.raw`\n`,
    'A',
    '=',
    ' ',
    '\n',
    '{"a":',
    '[',
    '"',
    '\u0000',
    '\uFEFF',
    '0\u0082',
  ];

  it.each(hostile)('T-62: a million characters of %j are refused, alone and inside a block', async (unit) => {
    for (const text of [million(unit), `-----BEGIN PRIVATE KEY-----\n${million(unit)}\n-----END PRIVATE KEY-----`]) {
      const whole = text.slice(0, 1_000_000);
      expect(await errorOf({ pem: whole, kid: 'k' })).toMatchObject({ code: 'MP_CONFIG' });
      expect(await errorOf({ jwk: whole })).toMatchObject({ code: 'MP_CONFIG' });
      expect(await errorOf({ pem, certificateChain: whole })).toMatchObject({ code: 'MP_CONFIG' });
      expect(await errorOf({ pem, kid: whole })).toMatchObject({ code: 'MP_CONFIG' });
      expect(await errorOf({ pem, kid: 'k', registeredAt: whole })).toMatchObject({ code: 'MP_CONFIG' });
    }
  });

  it('property: any bytes, and any damage to a good key, load or are refused as MP_CONFIG', async () => {
    const whole = Buffer.from(pem);
    const damage = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255), cut: fc.boolean() });
    const damaged = damage.map(({ at, byte, cut }) => {
      const copy = Buffer.from(whole);
      copy[at] = byte;
      return cut ? copy.subarray(0, at) : copy;
    });
    const anything = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged, anything), async (bytes) => {
        const outcome = await errorOf({ pem: bytes, kid: 'k' });
        const expected = outcome instanceof Error ? { code: 'MP_CONFIG' } : { kid: 'k', alg: 'RS256' };
        expect(outcome).toMatchObject(expected);
      }),
      { numRuns: runs(300) },
    );
  });
});

describe('T-07: what is left in the memory of a process that has loaded a key from a file', () => {
  const forms: readonly (readonly [name: string, content: string | Buffer, file: string, passphrase?: string])[] = [
    ['PEM', pem, 'key.pem'],
    ['damaged PEM', pem.replaceAll('\n', String.raw`\n`), 'damaged.pem'],
    ['base64 of PEM', Buffer.from(pem).toString('base64'), 'key.b64'],
    ['JWK', JSON.stringify(jwk), 'key.jwk'],
    ['encrypted PEM', encryptedPem(), 'encrypted.pem', canary],
    ['PKCS#12', opensslPkcs12(pem, canary, ['-nocerts']), 'key.p12', canary],
    [
      'PKCS#12 with Triple DES',
      opensslPkcs12(pem, canary, ['-nocerts', '-keypbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']),
      'legacy.p12',
      canary,
    ],
  ];
  let together: MemoryOf | undefined;

  it.each(forms)('%s: neither heap snapshot nor diagnostic report holds key or password', (_, content, name) => {
    // In `npm test` one process loads them all, each key is kept, and the tests look at its memory.
    const memory = sized({
      test: () => (together ??= memoryOf(forms)),
      soak: () => memoryOf(forms.filter(([, , file]) => file === name)),
    })();
    expect(memory.heap.includes('control-string-that-must-be-found')).toBe(true);
    expect(memory.loaded).toContain(name);
    const lines = typeof content === 'string' ? content.split('\n').slice(2, -2) : [];
    const pieces = [...secrets, ...lines, Buffer.from(pem).toString('base64')];
    const wanted = [...pieces.map((piece) => piece.slice(0, 40)), canary].filter((piece) => piece.length > 20);
    for (const piece of wanted) {
      expect(memory.heap.includes(piece)).toBe(false);
      expect(memory.report.includes(piece)).toBe(false);
    }
  });
});

interface MemoryOf {
  readonly heap: string;
  readonly report: string;
  /** Names of the files whose keys the process has loaded and signed with. */
  readonly loaded: readonly string[];
}

/** The memory of a process that has loaded a key from each of the files. */
function memoryOf(forms: readonly (readonly [string, string | Buffer, file: string, passphrase?: string])[]): MemoryOf {
  const directory = mkdtempSync(join(tmpdir(), 'maskinporten-heap-'));
  writeChild(directory);
  for (const [, content, name, passphrase] of forms) {
    writeFileSync(join(directory, name), content, { mode: 0o400 });
    writeFileSync(join(directory, `${name}.password`), passphrase ?? '');
  }
  const child = [join(directory, 'child.js'), ...forms.map(([, , name]) => name)];
  const loaded = execFileSync(process.execPath, child, { cwd: directory, stdio: 'pipe' }).toString().trim().split('\n');
  const written = (name: string): string => readFileSync(join(directory, name), 'utf8');
  return { heap: written('heap'), report: written('report'), loaded };
}

function encryptedPem(): string {
  const passphrase = canary;
  return key.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
}

function encryptedPemWith(dekInfo: string): string {
  const label = 'RSA PRIVATE KEY';
  return `-----BEGIN ${label}-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: ${dekInfo}\n\nAAAA\n-----END ${label}-----`;
}

function writeChild(directory: string): void {
  compileRooms(directory, ['errors', 'key-files', 'certificates', 'keys']);
  writeFileSync(
    join(directory, 'child.js'),
    `import { readFileSync } from 'node:fs';
     import { writeHeapSnapshot } from 'node:v8';
     import { loadSigningKey } from './keys/index.js';
     globalThis.kept = [['control-string', 'that-must-be', 'found'].join('-')];
     const load = (file) => {
       const passphrase = readFileSync(file + '.password', 'utf8');
       return loadSigningKey({ file, kid: 'k', ...(passphrase === '' ? {} : { passphrase }) });
     };
     for (const file of process.argv.slice(2)) {
       const key = await load(file);
       await key.sign(Buffer.from('header.claims'));
       globalThis.kept.push(key);
       console.log(file);
     }
     writeHeapSnapshot('heap');
     process.report.writeReport('report');`,
  );
}
