import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { sharedKey } from './doctor.fixtures.js';
import { findSecrets } from './secret-scan.js';

const kinds = (text: string): string[] => findSecrets(text).map(({ kind, line }) => `${kind} ${line}`);

describe('the search for secrets', () => {
  const { pem, jwk, privateKey } = sharedKey();

  it('finds a key in every form that people paste', () => {
    expect(kinds(`a\nb\n${pem}`)).toEqual(['private-key 3']);
    expect(kinds(`KEY="${pem.replaceAll('\n', String.raw`\n`)}"`)).toEqual(['private-key 1']);
    expect(kinds(`KEY=${Buffer.from(pem).toString('base64')}`)).toEqual(['private-key 1']);
    expect(
      kinds(
        pem
          .split('\n')
          .map((line) => `      '${line}\\n' +`)
          .join('\n'),
      ),
    ).toEqual(['private-key 1']);
    expect(kinds(JSON.stringify({ keys: [jwk] }, undefined, 2))).toHaveLength(1);
    expect(kinds(JSON.stringify(JSON.stringify(jwk)))).toEqual(['private-jwk 1']);
    const sealed = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' });
    expect(kinds(String(sealed))).toEqual(['private-key 1']);
  });

  it('finds a token, and tells a JWT from three words with dots', async () => {
    const token = await new SignJWT({ scope: 'a:b' }).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
    expect(kinds(`first\nconst token = '${token}';`)).toEqual(['token 2']);
    const noise = ['eyJ', 'eyJ', ''].map((start) => start + randomBytes(60).toString('base64url'));
    expect(kinds(noise.join('.'))).toEqual([]);
  });

  it('leaves documentation, public keys and certificates alone', () => {
    expect(kinds('-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----')).toEqual([]);
    const code =
      'const header = `-----BEGIN PRIVATE KEY-----\n${body}`;\nexport const value = readThe(header, options);\n';
    expect(kinds(code + code.replaceAll('PRIVATE', 'PUBLIC').repeat(20))).toEqual([]);
    expect(kinds('Look for "-----BEGIN RSA PRIVATE KEY-----" in the file.')).toEqual([]);
    expect(kinds(String(sharedKey().publicKey.export({ type: 'spki', format: 'pem' })))).toEqual([]);
    expect(kinds(JSON.stringify({ ...sharedKey().publicKey.export({ format: 'jwk' }), kid: 'd' }))).toEqual([]);
  });

  it.each([
    'eyJ'.repeat(400_000),
    `eyJ${'a'.repeat(1_000_000)}`,
    '-----BEGIN '.repeat(100_000),
    '"d":"'.repeat(200_000),
    'LS0tLS1CRUdJTi'.repeat(70_000),
    '-----BEGIN PRIVATE KEY-----'.repeat(40_000),
  ])('T-62: hostile text of a megabyte gives no secret and ends: %#', (text) => {
    expect(kinds(text).filter((kind) => !kind.startsWith('private-key'))).toEqual([]);
  });
});
