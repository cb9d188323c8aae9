import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { jwkThumbprint } from '../../key-files/index.js';
import { makeKey, opensslBytes, TestAuthority } from '../../keys/keys.fixtures.js';
import { isInstalled, keytoolPkcs12, needs } from '../../keys/pkcs12.fixtures.js';
import { runInProcess } from '../cli.fixtures.js';

const root = mkdtempSync(join(tmpdir(), 'maskinporten-jwk-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const file = (name: string, content: string | Buffer): string => {
  const path = join(root, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
};

const key = makeKey();
const other = makeKey();
const thumbprint = await jwkThumbprint(key.publicKey);
const { certificate } = new TestAuthority().issue({ subject: '/C=NO/CN=Test', key });
const password = 'blåbærsyltetøy';
const passphraseFile = file('passphrase', `${password}\n`);
const pfx = opensslBytes(['pkcs12', '-export', '-passout', `pass:${password}`], key.pem + certificate);
const encrypted = opensslBytes(['pkcs8', '-topk8', '-passout', `pass:${password}`], key.pem);
const publicOnly = key.publicKey.export({ type: 'spki', format: 'pem' }).toString();

const expected = { kty: 'RSA', use: 'sig', alg: 'RS256', e: 'AQAB', n: key.jwk.n };

describe('keys jwk', () => {
  it.each<[string, string | Buffer]>([
    ['PEM', key.pem],
    ['a public key', publicOnly],
    ['a certificate', certificate],
    ['DER', opensslBytes(['pkcs8', '-topk8', '-nocrypt', '-outform', 'DER'], key.pem)],
    ['PKCS#1 DER', opensslBytes(['rsa', '-traditional', '-outform', 'DER'], key.pem)],
    ['a certificate in DER', opensslBytes(['x509', '-outform', 'DER'], certificate)],
    ['a public key in DER', opensslBytes(['pkey', '-pubout', '-outform', 'DER'], key.pem)],
    ['encrypted PEM', encrypted],
    ['PKCS#12', pfx],
    ['base64 of PKCS#12', pfx.toString('base64')],
    ['base64 of PEM', Buffer.from(key.pem).toString('base64')],
    ['damaged PEM', key.pem.replaceAll('\n', String.raw`\n`)],
    ['a private JWK', JSON.stringify(key.jwk)],
    ['JSON in a string', JSON.stringify(JSON.stringify(key.jwk))],
  ])('of %s', async (_, content) => {
    const path = file('key', content);
    const run = await runInProcess(['keys', 'jwk', path, '--passphrase-file', passphraseFile]);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.document).toEqual({ ...expected, kid: thumbprint });
  });

  needs('keytool', isInstalled('keytool'), () => {
    it('of a keystore that keytool wrote', async () => {
      const store = keytoolPkcs12(
        opensslBytes(['pkcs12', '-export', '-passout', 'pass:changeit'], key.pem + certificate),
        'changeit',
      );
      const args = ['keys', 'jwk', file('store.p12', store), '--kid', 'from-java'];
      const run = await runInProcess(args, { env: { MASKINPORTEN_PKCS12_PASSPHRASE: 'changeit' } });
      expect(run.document).toEqual({ ...expected, kid: 'from-java' });
    });
  });

  it('T-06: prints nothing of the private half', async () => {
    const { stdout } = await runInProcess(['keys', 'jwk', file('key', JSON.stringify(key.jwk))]);
    for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const) expect(stdout).not.toContain(String(key.jwk[name]));
  });

  it.each([
    ['MASKINPORTEN_PRIVATE_KEY', { MASKINPORTEN_PRIVATE_KEY: key.pem }],
    ['MASKINPORTEN_PRIVATE_KEY_FILE', { MASKINPORTEN_PRIVATE_KEY_FILE: file('env.pem', key.pem) }],
    ['a relative path', { MASKINPORTEN_PRIVATE_KEY_FILE: 'env.pem' }],
    ['MASKINPORTEN_CLIENT_JWK', { MASKINPORTEN_CLIENT_JWK: JSON.stringify(key.jwk) }],
    [
      'an encrypted key',
      { MASKINPORTEN_PRIVATE_KEY: encrypted.toString(), MASKINPORTEN_PRIVATE_KEY_PASSPHRASE: password },
    ],
    ['PKCS#12', { MASKINPORTEN_PKCS12_FILE: file('env.p12', pfx), MASKINPORTEN_PKCS12_PASSPHRASE: password }],
  ])('of the environment: %s, with the kid it says', async (_, env) => {
    const run = await runInProcess(['keys', 'jwk'], { cwd: root, env: { ...env, MASKINPORTEN_KID: 'my-kid' } });
    expect(run.document).toEqual({ ...expected, kid: 'my-kid' });
  });

  it('keeps kid and alg of a JWK, and gives sets for several keys or when asked', async () => {
    const first = { ...key.jwk, kid: 'a', alg: 'RS512' };
    const second = { ...other.jwk, kid: 'b' };
    const set = file('set.json', JSON.stringify({ keys: [first, second] }));
    expect((await runInProcess(['keys', 'jwk', set])).document).toEqual({
      keys: [
        { ...expected, kid: 'a', alg: 'RS512' },
        { ...expected, kid: 'b', n: other.jwk.n },
      ],
    });
    expect((await runInProcess(['keys', 'jwk', set, '--kid', 'b'])).document).toMatchObject({ n: other.jwk.n });
    expect((await runInProcess(['keys', 'jwk', set, '--kid', 'b', '--set'])).document).toMatchObject({
      keys: [{ kid: 'b' }],
    });
    const wrong = await runInProcess(['keys', 'jwk', set, '--kid', 'c']);
    expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('a, b') });
  });

  it('asks for a passphrase in a terminal, and never takes one from the command line', async () => {
    const path = file('key', encrypted);
    const questions: string[] = [];
    const askSecret = async (question: string): Promise<string> => {
      questions.push(question);
      return Promise.resolve(password);
    };
    const asked = await runInProcess(['keys', 'jwk', path], { askSecret });
    expect(asked.document).toMatchObject({ n: key.jwk.n });
    expect(questions).toEqual([`Passphrase of ${path}: `]);
    const unasked = await runInProcess(['keys', 'jwk', path]);
    expect(unasked).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('passphrase is missing') });
    expect((await runInProcess(['keys', 'jwk', path, '--passphrase', password])).exitCode).toBe(2);
    const wrong = await runInProcess(['keys', 'jwk', path], { askSecret: async () => Promise.resolve('no') });
    expect(wrong).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('passphrase is wrong') });
  });

  it.each<[string, string, string | RegExp]>([
    [
      'EC',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      'EC',
    ],
    ['1024 bits', makeKey(1024).pem, '1024'],
    ['a symmetric JWK', JSON.stringify({ kty: 'oct', k: 'AAAA' }), 'symmetric'],
    ['no key at all', 'hello world!', 'neither PEM'],
    ['half a PEM', key.pem.slice(0, 400), 'cut off'],
    ['an empty set', '{"keys":[]}', 'neither a key nor a certificate'],
  ])('F-116: says why not of %s', async (_, content, reason) => {
    const run = await runInProcess(['keys', 'jwk', file('key', content)]);
    expect(run).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringMatching(reason) });
  });

  it('F-110: names a file that is not there, and what is missing in the environment', async () => {
    const absent = await runInProcess(['keys', 'jwk', join(root, 'absent.pem')]);
    expect(absent).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('absent.pem" does not exist') });
    const none = await runInProcess(['keys', 'jwk']);
    expect(none).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('MASKINPORTEN_PRIVATE_KEY_FILE is missing'),
    });
    const both = { MASKINPORTEN_PRIVATE_KEY: 'x', MASKINPORTEN_CLIENT_JWK: 'y' };
    expect((await runInProcess(['keys', 'jwk'], { env: both })).stderr).toContain('keep one of them');
    const env = { MASKINPORTEN_PRIVATE_KEY_FILE: join(root, 'absent.pem') };
    expect((await runInProcess(['keys', 'jwk'], { env })).stderr).toContain('MASKINPORTEN_PRIVATE_KEY_FILE ');
  });
});
