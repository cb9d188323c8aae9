import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { jwkThumbprint } from '../../key-files/index.js';
import { makeKey, opensslBytes, TestAuthority } from '../../keys/keys.fixtures.js';
import { hasLegacyProvider, LEGACY, needs } from '../../keys/pkcs12.fixtures.js';
import { runInProcess, type CliRun, type CliRunOptions } from '../cli.fixtures.js';

const root = mkdtempSync(join(tmpdir(), 'maskinporten-inspect-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const file = (name: string, content: string | Buffer, mode = 0o600): string => {
  const path = join(root, name);
  rmSync(path, { force: true });
  writeFileSync(path, content, { mode });
  return path;
};
const nowMs = Date.UTC(2026, 10, 24, 12);
const inspect = async (path: string, args: readonly string[] = [], options: CliRunOptions = {}): Promise<CliRun> =>
  runInProcess(['keys', 'inspect', path, ...args], { nowMs, ...options });

const key = makeKey(3072);
const thumbprint = await jwkThumbprint(key.publicKey);
const top = new TestAuthority('/C=NO/O=Buypass AS-983163327/CN=Buypass Class 3 Test4 Root CA');
const authority = new TestAuthority('/C=NO/O=Buypass AS/CN=Buypass Class 3 Test4 CA G2 ST Business', top);
const issue = (
  more: { readonly to?: string; readonly from?: string; readonly extensions?: readonly string[] } = {},
): string =>
  authority.issue({
    subject: '/C=NO/O=ACME AS/CN=ACME AS/organizationIdentifier=NTRNO-310000027',
    key,
    to: '20270101000000Z',
    ...more,
  }).certificate;
const certificate = issue();
const chain = certificate + authority.certificate + top.certificate;

interface Report {
  readonly state: string;
  readonly findings: readonly { readonly id: string; readonly state: string; readonly text: string }[];
}
const statesOf = ({ findings }: Report): Record<string, string> =>
  Object.fromEntries(findings.map(({ id, state }) => [id, state]));
const keysOf = (run: CliRun): readonly (Report & Record<string, unknown>)[] =>
  (run.document as { keys: (Report & Record<string, unknown>)[] }).keys;

const fileStates = async (mode: number, content: string): Promise<object> =>
  statesOf((await inspect(file('mode', content, mode), ['--json'])).document as Report);

describe('keys inspect', () => {
  it('tells everything about an enterprise certificate: key, chain, organisation by OID, branch, expiry, where it may be used', async () => {
    const run = await inspect(file('good.pem', key.pem + top.certificate + certificate + authority.certificate), [
      '--json',
    ]);
    expect(run.exitCode).toBe(0);
    expect(run.document).toMatchObject({
      state: 'warning',
      format: 'pem',
      labels: ['PRIVATE KEY', 'CERTIFICATE', 'CERTIFICATE', 'CERTIFICATE'],
      findings: [],
      keys: [
        {
          kind: 'rsa',
          bits: 3072,
          private: true,
          thumbprint,
          organisation: { scheme: 'NTRNO', id: '310000027' },
          certificateEnvironment: 'test',
          certificates: [
            { subject: expect.stringContaining('CN=ACME AS'), notAfter: '2027-01-01T00:00:00.000Z', selfSigned: false },
            { subject: expect.stringContaining('Test4 CA G2 ST Business'), selfSigned: false },
            { subject: expect.stringContaining('Test4 Root CA'), selfSigned: true },
          ],
          ends: [
            { what: 'certificate', endsAt: '2027-01-01T00:00:00.000Z', daysLeft: 38, tier: 'notice', counts: true },
          ],
          usable: {
            test: { kid: { usable: true }, x5c: { usable: true } },
            prod: {
              kid: { usable: true },
              x5c: { usable: false, reason: "the certificate is from the issuer's test branch" },
            },
          },
        },
      ],
    });
  });

  it('tells it to people, in both languages', async () => {
    const path = file('good.pem', key.pem + chain);
    const { stdout } = await inspect(path, ['--registered-at', '2026-01-31']);
    expect(stdout).toContain('good.pem: PEM (PRIVATE KEY, 3 × CERTIFICATE)');
    expect(stdout).toContain('✔ organisation 310000027');
    expect(stdout).toContain('! the certificate ends at 2027-01-01T00:00:00.000Z, in 38 days');
    expect(stdout).toContain('the registration of the key (one year) ends at 2027-01-31T00:00:00.000Z, in 68 days');
    expect(stdout).toMatch(/as a certificate \(x5c\), production +no: the certificate is from/);
    const norwegian = await inspect(path, ['--lang', 'nb']);
    expect(norwegian.stdout).toContain('! sertifikatet går ut 2027-01-01T00:00:00.000Z, om 38 dager');
    expect(norwegian.stdout).toMatch(
      /som sertifikat \(x5c\), produksjon +nei: sertifikatet er fra utstederens testgren/,
    );
  });

  it('T-06: prints nothing of the private half', async () => {
    const path = file('key.json', JSON.stringify(key.jwk));
    for (const args of [[], ['--json']]) {
      const { stdout, stderr } = await inspect(path, args);
      for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const)
        expect(stdout + stderr).not.toContain(key.jwk[name]);
    }
  });

  it('F-119: an expired certificate fails, except where the key is named by its kid', async () => {
    const path = file('expired.pem', key.pem + issue({ to: '20261101000000Z' }) + authority.certificate);
    const run = await inspect(path, ['--json']);
    expect(run.exitCode).toBe(1);
    const [expired] = keysOf(run);
    expect(expired && statesOf(expired)).toMatchObject({ certificate: 'failed' });
    expect(expired?.['usable']).toMatchObject({ test: { kid: { usable: true }, x5c: { usable: false } } });
    const named = await inspect(path, ['--json', '--kid', 'my-kid']);
    expect(named.exitCode).toBe(0);
    expect(keysOf(named).map(statesOf)).toEqual([expect.objectContaining({ certificate: 'warning' })]);
    const early = file('early.pem', key.pem + issue({ from: '20270101000000Z', to: '20280101000000Z' }));
    expect(keysOf(await inspect(early, ['--json'])).map(statesOf)).toEqual([
      expect.objectContaining({ 'certificate-start': 'failed' }),
    ]);
  });

  it('names the faults of a certificate: chain incomplete, no organisation, not for signing, of another key', async () => {
    const encryption = issue({ extensions: ['keyUsage=keyEncipherment'] });
    const alone = await inspect(file('alone.pem', key.pem + encryption), ['--json']);
    expect(keysOf(alone).map(statesOf)).toEqual([
      expect.objectContaining({ chain: 'warning', organisation: 'good', 'certificate-usage': 'failed' }),
    ]);
    const { certificate: nobody } = new TestAuthority().issue({ subject: '/C=NO/CN=310000027', key });
    expect(keysOf(await inspect(file('nobody.pem', key.pem + nobody), ['--json'])).map(statesOf)).toEqual([
      expect.objectContaining({ organisation: 'warning' }),
    ]);
    const stranger = await inspect(file('stranger.pem', makeKey().pem + certificate), ['--json']);
    expect(stranger.exitCode).toBe(1);
    expect(statesOf(stranger.document as Report)).toEqual({ 'certificate-of-another-key': 'failed' });
  });

  it('a private key in DER is a private key', async () => {
    for (const type of ['pkcs8', 'pkcs1'] as const) {
      const run = await inspect(file('key.der', key.privateKey.export({ type, format: 'der' })), ['--json']);
      expect(keysOf(run)).toMatchObject([{ private: true, usable: { test: { kid: { usable: true } } } }]);
    }
  });

  it('certificates alone, public keys alone: tells that the private key is not there', async () => {
    for (const content of [chain, opensslBytes(['x509', '-outform', 'DER'], certificate)]) {
      const run = await inspect(file('chain', content), ['--json']);
      expect(keysOf(run)).toMatchObject([
        { private: false, organisation: { id: '310000027' }, usable: { test: { kid: { usable: false } } } },
      ]);
    }
  });

  it.each([
    ['use enc', { use: 'enc' }, 'jwk-use'],
    ['no use', { use: undefined }, 'jwk-use'],
    ['no alg', { alg: undefined }, 'jwk-alg'],
    ['alg PS256', { alg: 'PS256' }, 'jwk-alg'],
    ['no kid', { kid: undefined }, 'jwk-kid'],
  ])('a public JWK with %s is not ready to upload', async (_, change, id) => {
    const good = { kty: 'RSA', n: key.jwk.n, e: key.jwk.e, use: 'sig', alg: 'RS256', kid: 'k' };
    expect((await inspect(file('public.json', JSON.stringify(good)))).exitCode).toBe(0);
    const run = await inspect(file('public.json', JSON.stringify({ ...good, ...change })), ['--json']);
    expect(run.exitCode).toBe(1);
    expect(keysOf(run).map(statesOf)).toEqual([expect.objectContaining({ [id]: 'failed' })]);
  });

  it('a private JWK for encryption, an EC key, a small key and RSA-PSS may not sign, each for its reason', async () => {
    const jwk = JSON.stringify({ ...key.jwk, use: 'enc', kid: 'k' });
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    });
    for (const [content, reason] of [
      [jwk, /not meant for signing|not for signing/],
      [String(ec), /EC/],
      [makeKey(1024).pem, /1024/],
      [String(pss), /RSA-PSS/],
    ] as const) {
      const run = await inspect(file('unfit', content), ['--json']);
      expect(run.exitCode).toBe(1);
      expect(keysOf(run)).toMatchObject([
        { state: 'failed', usable: { test: { kid: { usable: false, reason: expect.stringMatching(reason) } } } },
      ]);
    }
  });

  it('lists every key of a set and of a PEM file', async () => {
    const set = file(
      'set.json',
      JSON.stringify({
        keys: [
          { ...key.jwk, kid: 'a' },
          { ...makeKey().jwk, kid: 'b' },
        ],
      }),
    );
    const run = await inspect(set, ['--json']);
    expect(run.document).toMatchObject({
      format: 'jwk-set',
      keys: [
        { kid: 'a', bits: 3072 },
        { kid: 'b', bits: 2048 },
      ],
    });
    const pem = await inspect(file('two.pem', key.pem + makeKey().pem), ['--json']);
    expect(keysOf(pem)).toHaveLength(2);
  });

  it('F-112: warns of a private key that everybody may read, and not of a public one', async () => {
    expect(await fileStates(0o644, key.pem)).toEqual({ 'file-permissions': 'warning' });
    expect(await fileStates(0o440, key.pem)).toEqual({});
    expect(await fileStates(0o644, chain)).toEqual({});
  });

  it('says that line breaks are damaged', async () => {
    const run = await inspect(file('spaces.pem', key.pem.replaceAll('\n', ' ')), ['--json']);
    expect(statesOf(run.document as Report)).toEqual({ 'line-breaks': 'warning' });
  });

  describe('PKCS#12', () => {
    const password = 'blåbærsyltetøy';
    const variants = [
      ['modern', ['-macalg', 'sha256']],
      ['3DES', ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']],
      ['unencrypted, with MAC', ['-keypbe', 'NONE', '-certpbe', 'NONE']],
    ] as const;
    const pfx = (args: readonly string[]): Buffer =>
      opensslBytes(['pkcs12', '-export', '-passout', `pass:${password}`, ...args], key.pem + chain);
    const env = { MASKINPORTEN_PKCS12_PASSPHRASE: password };

    it.each(variants)('%s', async (_, args) => {
      const run = await inspect(file('key.p12', pfx(args)), ['--json'], { env });
      expect(run.document).toMatchObject({ format: 'pkcs12', keys: [{ thumbprint, certificates: [{}, {}, {}] }] });
    });

    needs('the legacy provider of OpenSSL', hasLegacyProvider(), () => {
      it('legacy, RC2-40', async () => {
        const run = await inspect(file('key.p12', pfx(LEGACY)), ['--json'], { env });
        expect(run.document).toMatchObject({ format: 'pkcs12', keys: [{ thumbprint }] });
      });
    });

    it.each([
      ['a wrong passphrase', (bytes: Buffer) => bytes, { MASKINPORTEN_PKCS12_PASSPHRASE: 'no' }, 'passphrase is wrong'],
      ['no passphrase', (bytes: Buffer) => bytes, {}, 'passphrase is missing'],
      ['half of it', (bytes: Buffer) => bytes.subarray(0, 1200), env, 'file '],
    ])('%s fails with the reason', async (_, change, variables, reason) => {
      const run = await inspect(file('key.p12', change(pfx([]))), [], { env: variables });
      expect(run).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining(reason) });
    });

    it('without a MAC is refused, with what to do about it', async () => {
      const run = await inspect(file('key.p12', pfx(['-nomac'])), [], { env });
      expect(run).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('without a MAC') });
    });
  });

  it.each([['20260131'], ['2026-13-01'], ['yesterday']])('--registered-at %s is wrong usage', async (date) => {
    const run = await inspect(file('key.pem', key.pem), ['--registered-at', date]);
    expect(run).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('2026-01-31') });
  });

  it('the registered key lives one year: warning, then failure', async () => {
    const path = file('key.pem', key.pem);
    const states = async (date: string): Promise<unknown> =>
      keysOf(await inspect(path, ['--json', '--registered-at', date])).map((one) => statesOf(one)['registered-key']);
    expect(await states('2026-06-01')).toEqual(['good']);
    expect(await states('2025-12-24')).toEqual(['warning']);
    expect(await states('2025-11-24')).toEqual(['failed']);
  });

  it('reads the key of the environment, with its certificate file and its dates', async () => {
    const env = {
      MASKINPORTEN_PRIVATE_KEY_FILE: file('key.pem', key.pem),
      MASKINPORTEN_CERTIFICATE_FILE: file('chain.pem', chain),
      MASKINPORTEN_KID: 'my-kid',
      MASKINPORTEN_KEY_REGISTERED_AT: '2026-06-01',
    };
    const run = await runInProcess(['keys', 'inspect', '--json'], { env, nowMs });
    expect(keysOf(run)).toMatchObject([
      {
        kid: 'my-kid',
        organisation: { id: '310000027' },
        ends: [{ counts: false }, { what: 'registered-key', counts: true }],
      },
    ]);
  });

  it('--ics writes a calendar, replaces its own, and nothing else', async () => {
    const path = file('good.pem', key.pem + chain);
    const ics = join(root, 'keys.ics');
    const args = ['--ics', ics, '--registered-at', '2026-06-01'];
    expect((await inspect(path, [...args, '--json'])).document).toMatchObject({ calendar: ics });
    const text = readFileSync(ics, 'utf8');
    expect(text.match(/^BEGIN:VEVENT/gm)).toHaveLength(2);
    expect(text).toContain('DTSTART:20270101T000000Z');
    expect((await inspect(path, args)).exitCode).toBe(0);
    expect(readFileSync(ics, 'utf8')).toBe(text);
    expect(await inspect(path, ['--ics', path])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('left as it is'),
    });
    expect(readFileSync(path, 'utf8')).toBe(key.pem + chain);
    const nothing = await inspect(file('key.pem', key.pem), ['--ics', join(root, 'none.ics')]);
    expect(nothing).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--registered-at') });
  });
});
