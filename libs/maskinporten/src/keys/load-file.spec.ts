import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { isMaskinportenError } from '../errors/index.js';
import { makeKey, opensslBytes, TestAuthority } from './keys.fixtures.js';
import { loadSigningKey, type FileKeySource, type KeyWarning } from './index.js';

const directory = mkdtempSync(join(tmpdir(), 'maskinporten-keys-'));
const key = makeKey(3072);
const data = Buffer.from('header.claims');

function write(name: string, content: string | Buffer, mode = 0o400): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

async function refusalOf(source: FileKeySource): Promise<string> {
  const error: unknown = await loadSigningKey(source).catch((thrown: unknown) => thrown);
  if (!isMaskinportenError(error, 'MP_CONFIG')) throw new Error(`expected MP_CONFIG, got ${String(error)}`);
  return error.message;
}

describe('key files', () => {
  it.each([
    ['PEM', key.pem],
    ['base64 of PEM', Buffer.from(key.pem).toString('base64')],
    ['JWK', JSON.stringify({ ...key.jwk, kid: 'k' })],
    ['DER', key.privateKey.export({ type: 'pkcs8', format: 'der' })],
  ])('loads %s, detecting the format', async (name, content) => {
    const loaded = await loadSigningKey({ file: write(name, content), kid: 'k' });
    expect(verify('sha256', data, key.publicKey, await loaded.sign(data))).toBe(true);
  });

  it('loads an encrypted file with its passphrase', async () => {
    const pem = key.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' });
    const file = write('encrypted.pem', pem.toString());
    expect((await loadSigningKey({ file, kid: 'k', passphrase: 'p' })).kid).toBe('k');
    expect(await refusalOf({ file, kid: 'k' })).toContain('key.passphrase: is missing');
    expect(await refusalOf({ file, kid: 'k', passphrase: 'q' })).toContain('key.passphrase: is wrong');
  });

  it('presents the chain of certificateFile when there is no kid', async () => {
    const { certificate } = new TestAuthority().issue({ subject: '/C=NO/CN=Test', key });
    const file = write('with-certificate.pem', key.pem);
    const loaded = await loadSigningKey({ file, certificateFile: write('chain.pem', certificate) });
    expect(loaded.x5c).toHaveLength(1);
    expect(await refusalOf({ file, certificateFile: join(directory, 'absent.pem') })).toMatch(
      /key\.certificateFile: ".*absent\.pem" does not exist/,
    );
  });

  it('F-110: a missing file is named with its path and the reason', async () => {
    const file = join(directory, 'absent.pem');
    expect(await refusalOf({ file, kid: 'k' })).toContain(`key.file: "${file}" does not exist`);
    expect(await refusalOf({ file: join(write('a-file', 'x'), 'below'), kid: 'k' })).toContain('does not exist');
  });

  it('F-110: a directory, an empty file and a huge file are named for what they are', async () => {
    mkdirSync(join(directory, 'folder'), { recursive: true });
    expect(await refusalOf({ file: join(directory, 'folder'), kid: 'k' })).toContain('is not a regular file');
    expect(await refusalOf({ file: write('empty', ''), kid: 'k' })).toContain('is empty');
    const huge = write('huge', Buffer.alloc(1024 * 1024 + 1, 'A'));
    expect(await refusalOf({ file: huge, kid: 'k' })).toContain('is larger than 1 MiB');
  });

  it('T-10: a key that was put where the path belongs is not quoted', async () => {
    const message = await refusalOf({ file: key.pem, kid: 'k' });
    expect(message).toContain('key.file: (a path that is not shown)');
    expect(message).not.toContain(key.pem.slice(60, 80));
    expect(await refusalOf({ file: `${directory}/\u0000x`, kid: 'k' })).toContain('is not a path');
    expect(await refusalOf({ file: '', kid: 'k' })).toContain('key.file: must be a path');
  });

  it.each([0o404, 0o644, 0o444])('F-112: mode %o gives a warning, and is refused in strict mode', async (mode) => {
    const file = write(`mode-${mode}.pem`, key.pem, mode);
    const warnings: KeyWarning[] = [];
    await loadSigningKey({ file, kid: 'k' }, { onWarning: (warning) => warnings.push(warning) });
    expect(warnings).toEqual([expect.objectContaining({ code: 'file-readable-by-others', field: 'key.file' })]);
    await expect(loadSigningKey({ file, kid: 'k' }, { strictFilePermissions: true })).rejects.toMatchObject({
      code: 'MP_CONFIG',
      failures: [{ field: 'key.file' }],
    });
  });

  it.each([0o400, 0o600, 0o440, 0o640])(
    'F-112: mode %o, which Kubernetes gives with fsGroup, gives no warning',
    async (mode) => {
      const warnings: KeyWarning[] = [];
      const onWarning = (warning: KeyWarning): number => warnings.push(warning);
      const file = write(`mine-${mode}.pem`, key.pem, mode);
      await loadSigningKey({ file, kid: 'k' }, { onWarning, strictFilePermissions: true });
      expect(warnings).toEqual([]);
    },
  );

  it('loads PKCS#12, with the chain in it, and its base64', async () => {
    const { certificate } = new TestAuthority().issue({ subject: '/C=NO/CN=Test', key });
    const pfx = opensslBytes(['pkcs12', '-export', '-passout', 'pass:x'], key.pem + certificate);
    for (const content of [pfx, pfx.toString('base64')]) {
      const loaded = await loadSigningKey({ file: write('key.p12', content, 0o600), passphrase: 'x' });
      expect(loaded.x5c).toHaveLength(1);
      expect(verify('sha256', data, key.publicKey, await loaded.sign(data))).toBe(true);
    }
    const file = write('key.p12', pfx, 0o600);
    expect(await refusalOf({ file })).toContain('key.passphrase: is missing: the PKCS#12 file is protected');
    expect(await refusalOf({ file, passphrase: 'y' })).toContain('key.passphrase: is wrong, or the PKCS#12 file');
  });
});
