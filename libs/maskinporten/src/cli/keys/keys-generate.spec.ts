import { createPrivateKey, createPublicKey } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { loadSigningKey } from '../../keys/index.js';
import { openssl } from '../../keys/keys.fixtures.js';
import { runInProcess } from '../cli.fixtures.js';

const root = mkdtempSync(join(tmpdir(), 'maskinporten-generate-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = (): string => join(root, `out-${(folders += 1)}`);
const modeOf = (file: string): number => statSync(file).mode & 0o777;
const jwkOf = (folder: string): JWK => JSON.parse(readFileSync(join(folder, 'public-jwk.json'), 'utf8')) as JWK;

describe('keys generate', () => {
  it('makes a private key that its owner alone can read, and a public JWK that is ready to upload', async () => {
    const out = newFolder();
    const { exitCode, stdout, stderr } = await runInProcess(['keys', 'generate', '--out', out]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(readdirSync(out).toSorted()).toEqual(['private-key.pem', 'public-jwk.json']);
    const file = join(out, 'private-key.pem');
    expect([modeOf(file), modeOf(out)]).toEqual([0o600, 0o700]);
    const jwk = jwkOf(out);
    expect(jwk).toEqual({
      kty: 'RSA',
      use: 'sig',
      alg: 'RS256',
      kid: await calculateJwkThumbprint(jwk),
      e: 'AQAB',
      n: expect.any(String),
    });
    const privateKey = createPrivateKey(readFileSync(file));
    expect(createPublicKey(privateKey).export({ format: 'jwk' }).n).toBe(jwk.n);
    expect(privateKey.asymmetricKeyDetails?.modulusLength).toBe(3072);
    expect(openssl(['pkey', '-in', file, '-check', '-noout'])).toContain('Key is valid');
    expect(stdout).toContain(`MASKINPORTEN_PRIVATE_KEY_FILE=${file}`);
    expect(stdout).toContain(`MASKINPORTEN_KID=${jwk.kid}`);
    await expect(loadSigningKey({ file, kid: String(jwk.kid) })).resolves.toMatchObject({ kid: jwk.kid });
  });

  it.each([[], ['--json']])('T-06: never prints the private key (%j)', async (...options) => {
    const out = newFolder();
    const run = await runInProcess(['keys', 'generate', '--size', '2048', '--out', out, ...options]);
    const pem = readFileSync(join(out, 'private-key.pem'), 'utf8');
    const { d, p } = createPrivateKey(pem).export({ format: 'jwk' });
    for (const secret of [d, p, pem.split('\n')[5]]) expect(run.stdout + run.stderr).not.toContain(secret);
    expect(run.stdout + run.stderr).not.toContain('PRIVATE KEY-----');
  });

  it('--json gives the paths and the JWK', async () => {
    const out = newFolder();
    const args = ['keys', 'generate', '--size', '2048', '--kid', 'acme-2026.1', '--out', out, '--json'];
    expect((await runInProcess(args)).document).toEqual({
      kid: 'acme-2026.1',
      alg: 'RS256',
      size: 2048,
      privateKeyFile: join(out, 'private-key.pem'),
      publicJwkFile: join(out, 'public-jwk.json'),
      jwk: jwkOf(out),
    });
  });

  it('never replaces a key, unless it is told to', async () => {
    const out = newFolder();
    const args = ['keys', 'generate', '--size', '2048', '--out', out];
    await runInProcess(args);
    const before = readFileSync(join(out, 'private-key.pem'), 'utf8');
    const again = await runInProcess(args);
    expect(again).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('--force') });
    expect(readFileSync(join(out, 'private-key.pem'), 'utf8')).toBe(before);
    expect((await runInProcess([...args, '--force'])).exitCode).toBe(0);
    expect(readFileSync(join(out, 'private-key.pem'), 'utf8')).not.toBe(before);
    expect(readdirSync(out)).toHaveLength(2);
  });

  it('does not write a private key beside a public one that is there, nor through a link', async () => {
    const out = newFolder();
    await runInProcess(['keys', 'generate', '--size', '2048', '--out', out]);
    rmSync(join(out, 'private-key.pem'));
    const victim = join(root, 'victim');
    writeFileSync(victim, 'mine', { mode: 0o644 });
    expect((await runInProcess(['keys', 'generate', '--size', '2048', '--out', out])).exitCode).toBe(1);
    expect(readdirSync(out)).toEqual(['public-jwk.json']);
    symlinkSync(victim, join(out, 'private-key.pem'));
    const forced = await runInProcess(['keys', 'generate', '--size', '2048', '--out', out, '--force']);
    expect(forced.exitCode).toBe(0);
    expect(readFileSync(victim, 'utf8')).toBe('mine');
    expect(modeOf(join(out, 'private-key.pem'))).toBe(0o600);
  });

  it('T-06: leaves no private key in a temporary file when it cannot be put in its place', async () => {
    const out = newFolder();
    mkdirSync(join(out, 'private-key.pem', 'not-empty'), { recursive: true });
    const { exitCode } = await runInProcess(['keys', 'generate', '--size', '2048', '--out', out, '--force']);
    expect([exitCode, readdirSync(out)]).toEqual([1, ['private-key.pem']]);
  });

  it('keeps the old pair when the public half of the new one cannot be written', async () => {
    const out = newFolder();
    const args = ['keys', 'generate', '--size', '2048', '--out', out, '--force'];
    await runInProcess(args);
    const before = readFileSync(join(out, 'private-key.pem'), 'utf8');
    rmSync(join(out, 'public-jwk.json'));
    mkdirSync(join(out, 'public-jwk.json', 'not-empty'), { recursive: true });
    expect((await runInProcess(args)).exitCode).toBe(1);
    expect(readFileSync(join(out, 'private-key.pem'), 'utf8')).toBe(before);
  });

  it.each([
    ['--size', '1024'],
    ['--kid', 'a b'],
    ['--kid', 'ærlig'],
    ['--passphrase', 'x'],
  ])('refuses %s %s with exit code 2', async (...options) => {
    const out = newFolder();
    expect((await runInProcess(['keys', 'generate', '--out', out, ...options])).exitCode).toBe(2);
    expect(() => readdirSync(out)).toThrow('ENOENT');
  });

  it('says in Norwegian what to do next, and why a folder cannot be used', async () => {
    const { stdout } = await runInProcess(['keys', 'generate', '--size', '2048', '--out', newFolder(), '--lang', 'nb']);
    expect(stdout).toContain('den private nøkkelen, lesbar bare for deg');
    const out = join(root, 'victim', 'below-a-file');
    const refused = await runInProcess(['keys', 'generate', '--size', '2048', '--out', out]);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('ENOTDIR') });
  });
});
