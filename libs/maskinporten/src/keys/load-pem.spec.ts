import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { rsaKeyPair } from '../../../../test/support/pool.js';
import { runs } from '../../../../test/support/size.js';
import { isMaskinportenError } from '../errors/index.js';
import { makeKey, openssl, opensslBytes } from './keys.fixtures.js';
import { loadSigningKey, type KeySource, type KeyWarning } from './index.js';

const key = makeKey(3072);
const passphrase = 'blåbærsyltetøy';
const data = Buffer.from('header.claims');

async function expectSigns(source: KeySource, publicKey = key.publicKey): Promise<void> {
  const loaded = await loadSigningKey(source);
  expect(verify('sha256', data, publicKey, await loaded.sign(data))).toBe(true);
}

async function refusalOf(source: KeySource): Promise<{ field: string; reason: string }> {
  const error: unknown = await loadSigningKey(source).catch((thrown: unknown) => thrown);
  if (!isMaskinportenError(error, 'MP_CONFIG')) throw new Error(`expected MP_CONFIG, got ${String(error)}`);
  const [failure] = error.failures;
  return { field: failure?.field ?? '', reason: failure?.reason ?? '' };
}

const pkcs8 = key.pem;
const pkcs1 = key.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
const encryptedPkcs8 = key.privateKey
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
  .toString();
const traditional = openssl(['rsa', '-traditional', '-aes128', '-passout', `pass:${passphrase}`], pkcs1);
const scrypt = openssl(['pkcs8', '-topk8', '-scrypt', '-passout', `pass:${passphrase}`], pkcs8);
const tripleDes = openssl(['pkcs8', '-topk8', '-v2', 'des3', '-passout', `pass:${passphrase}`], pkcs8);

describe('PEM keys', () => {
  it.each([
    ['PKCS#8', pkcs8, undefined],
    ['PKCS#1', pkcs1, undefined],
    ['encrypted PKCS#8 (AES)', encryptedPkcs8, passphrase],
    ['encrypted PKCS#8 (scrypt)', scrypt, passphrase],
    ['encrypted PKCS#8 (3DES)', tripleDes, passphrase],
    ['traditional encrypted', traditional, passphrase],
    ['byte order mark', `\uFEFF${pkcs8}`, undefined],
    ['CRLF', pkcs8.replaceAll('\n', '\r\n'), undefined],
    ['bag attributes', `Bag Attributes\n    localKeyID: 01 02\nKey Attributes: <No Attributes>\n${pkcs8}`, undefined],
    ['literal \\n', pkcs8.replaceAll('\n', String.raw`\n`), undefined],
    ['doubly escaped \\n', pkcs8.replaceAll('\n', String.raw`\\n`), undefined],
    ['literal \\r\\n', pkcs8.replaceAll('\n', String.raw`\r\n`), undefined],
    ['quotes around it', `"${pkcs8.replaceAll('\n', String.raw`\n`)}"`, undefined],
    ['spaces instead of newlines', pkcs8.replaceAll('\n', ' '), undefined],
    ['no newlines at all', pkcs8.replaceAll('\n', ''), undefined],
    ['base64 of the PEM', Buffer.from(pkcs8).toString('base64'), undefined],
    ['base64url of the PEM', Buffer.from(pkcs8).toString('base64url'), undefined],
    ['base64 in lines', openssl(['base64'], pkcs8), undefined],
    ['traditional encrypted, literal \\n', traditional.replaceAll('\n', String.raw`\n`), passphrase],
    ['traditional encrypted, spaces', traditional.replaceAll('\n', ' '), passphrase],
    ['base64 of encrypted PKCS#8', Buffer.from(encryptedPkcs8).toString('base64'), passphrase],
  ])('loads %s as text and as bytes', async (_, pem, secret) => {
    const more = { kid: 'k', ...(secret === undefined ? {} : { passphrase: secret }) };
    await expectSigns({ pem, ...more });
    await expectSigns({ pem: Buffer.from(pem), ...more });
  });

  it.each([
    ['PKCS#8', key.privateKey.export({ type: 'pkcs8', format: 'der' }), undefined],
    ['PKCS#1', key.privateKey.export({ type: 'pkcs1', format: 'der' }), undefined],
    [
      'encrypted PKCS#8',
      key.privateKey.export({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc', passphrase }),
      passphrase,
    ],
  ])('loads DER %s, and its base64', async (_, der, secret) => {
    const more = { kid: 'k', ...(secret === undefined ? {} : { passphrase: secret }) };
    await expectSigns({ pem: der, ...more });
    await expectSigns({ pem: der.toString('base64'), ...more });
  });

  it('leaves the bytes that the caller gave as they were', async () => {
    const bytes = Buffer.from(pkcs8);
    await loadSigningKey({ pem: bytes, kid: 'k' });
    expect(bytes.toString()).toBe(pkcs8);
  });

  it('property: no way of losing line breaks changes which key is loaded', async () => {
    const lineBreak = fc.constantFrom('\n', '\r\n', ' ', '', String.raw`\n`, String.raw`\r\n`, '\n\n', '\t');
    const surrounding = fc.constantFrom('', '\uFEFF', '  ', '\n', '"', 'Bag Attributes: x\n');
    const form = fc.constantFrom(pkcs8, pkcs1);
    await fc.assert(
      fc.asyncProperty(form, lineBreak, surrounding, fc.boolean(), async (pem, between, around, base64) => {
        const mangled = around + pem.replaceAll('\n', between) + around;
        const text = base64 ? Buffer.from(mangled).toString('base64') : mangled;
        const loaded = await loadSigningKey({ pem: text, kid: 'k' });
        expect(loaded.publicKey?.equals(key.publicKey)).toBe(true);
      }),
      { numRuns: runs(60) },
    );
  });

  it('warns when it had to mend line breaks, and not when the PEM was whole', async () => {
    const warnings: KeyWarning[] = [];
    const onWarning = (warning: KeyWarning): number => warnings.push(warning);
    await loadSigningKey({ pem: pkcs8, kid: 'k' }, { onWarning });
    expect(warnings).toEqual([]);
    await loadSigningKey({ pem: pkcs8.replaceAll('\n', String.raw`\n`), kid: 'k' }, { onWarning });
    expect(warnings).toEqual([expect.objectContaining({ code: 'text-repaired', field: 'key.pem' })]);
  });

  it('gives a notice for 2048 bits', async () => {
    const warnings: KeyWarning[] = [];
    await loadSigningKey({ pem: makeKey(2048).pem, kid: 'k' }, { onWarning: (warning) => warnings.push(warning) });
    expect(warnings.map(({ code }) => code)).toEqual(['small-key']);
  });
});

describe('PEM keys that are refused', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey;
  const small = rsaKeyPair(1024).privateKey;
  const ed = generateKeyPairSync('ed25519').privateKey;
  const pemOf = (privateKey: typeof ec): string => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

  it.each([
    ['EC in PKCS#8', pemOf(ec), 'is an EC key'],
    ['EC in SEC1', ec.export({ type: 'sec1', format: 'pem' }).toString(), 'is an EC key'],
    ['Ed25519', pemOf(ed), 'is an ED25519 key'],
    ['RSA-PSS', pemOf(pss), 'RSA-PSS'],
    ['1024 bits', pemOf(small), 'RSA of 1024 bits, at least 2048'],
    ['public key', key.publicKey.export({ type: 'spki', format: 'pem' }).toString(), 'public key only'],
    ['PKCS#1 public key', key.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(), 'public key only'],
    ['two private keys', pkcs8 + pkcs1, 'more than one private key'],
    ['OpenSSH key', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----', 'OpenSSH'],
    ['nothing private', '-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----', 'holds no private key'],
    ['empty text', '', 'is empty'],
    ['white space', ' \n ', 'is empty'],
    ['prose', 'my key, honestly!', 'is neither PEM'],
    ['UTF-16', Buffer.from(`\uFEFF${pkcs8}`, 'utf16le'), 'UTF-16'],
    ['larger than 1 MiB', Buffer.alloc(1024 * 1024 + 1, 'A'), 'larger than 1 MiB'],
  ])('F-116, S-12, S-17: %s', async (_, pem, reason) => {
    const refusal = await refusalOf({ pem, kid: 'k' });
    expect(refusal).toEqual({ field: 'key.pem', reason: expect.stringContaining(reason) });
  });

  it.each([
    ['cut off', pkcs8.slice(0, -40), 'key.pem', 'cut off'],
    ['cut in the middle of the base64', pkcs8.replace(/\n[^\n]+\n-----END/, '\n-----END'), 'key.pem', 'damaged'],
    ['foreign characters', pkcs8.replace('\n', '\n%%%'), 'key.pem', 'not base64'],
    ['empty block', '-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----', 'key.pem', 'empty PEM block'],
    ['encrypted without passphrase', encryptedPkcs8, 'key.passphrase', 'is missing'],
    ['traditional without passphrase', traditional, 'key.passphrase', 'is missing'],
    [
      'damaged encryption headers',
      traditional.replace('DEK-Info', 'DEK-Hint'),
      'key.pem',
      'damaged encryption headers',
    ],
  ])('F-113: %s', async (_, pem, field, reason) => {
    expect(await refusalOf({ pem, kid: 'k' })).toEqual({ field, reason: expect.stringContaining(reason) });
  });

  it.each([
    ['encrypted PKCS#8', encryptedPkcs8],
    ['scrypt', scrypt],
    ['traditional', traditional],
  ])('F-113: wrong passphrase for %s', async (_, pem) => {
    expect(await refusalOf({ pem, kid: 'k', passphrase: 'wrong' })).toEqual({
      field: 'key.passphrase',
      reason: expect.stringContaining('is wrong'),
    });
  });

  it('names the scheme of an encrypted key when it is one that OpenSSL 3 no longer offers', async () => {
    const pem = openssl(
      ['pkcs8', '-topk8', '-v1', 'PBE-MD5-DES', '-provider', 'legacy', '-provider', 'default', '-passout', 'pass:x'],
      pkcs8,
    );
    expect(await refusalOf({ pem, kid: 'k', passphrase: 'x' })).toEqual({
      field: 'key.pem',
      reason: expect.stringMatching(/^is encrypted with pbeWithMD5AndDES, which is not read: .*openssl pkcs8/),
    });
  });

  it.each([
    ['PKCS#12 Triple DES', ['-v1', 'PBE-SHA1-3DES']],
    ['PBKDF2 with SHA-1', ['-v2', 'aes256', '-v2prf', 'hmacWithSHA1']],
    ['PBKDF2 with SHA-384', ['-v2', 'aes192', '-v2prf', 'hmacWithSHA384']],
    ['PBKDF2 with SHA-512', ['-v2', 'aes128', '-v2prf', 'hmacWithSHA512']],
    ['Camellia', ['-v2', 'camellia256']],
    ['ARIA', ['-v2', 'aria-192-cbc']],
  ])('loads encrypted PKCS#8 as OpenSSL writes it, with %s, as PEM and as DER', async (_, args) => {
    const write = ['pkcs8', '-topk8', '-passout', `pass:${passphrase}`, ...args];
    await expectSigns({ pem: openssl(write, pkcs8), kid: 'k', passphrase });
    await expectSigns({ pem: opensslBytes([...write, '-outform', 'DER'], pkcs8), kid: 'k', passphrase });
  });

  it('F-120: an encrypted key that asks for too many iterations is refused before they are done', async () => {
    const write = ['pkcs8', '-topk8', '-v2', 'aes256', '-iter', '2000001', '-passout', 'pass:x'];
    expect(await refusalOf({ pem: openssl(write, pkcs8), kid: 'k', passphrase: 'x' })).toEqual({
      field: 'key.pem',
      reason: expect.stringContaining('asks for 2000001 key derivation iterations'),
    });
  });

  it('PKCS#12 is known for what it is, whatever the setting is called', async () => {
    const pfx = opensslBytes(['pkcs12', '-export', '-nocerts', '-passout', 'pass:x'], pkcs8);
    await expectSigns({ pem: pfx, kid: 'k', passphrase: 'x' });
    await expectSigns({ pem: pfx.toString('base64'), kid: 'k', passphrase: 'x' });
  });

  it('names the place of a source in a list', async () => {
    const error: unknown = await loadSigningKey({ pem: '', kid: 'k' }, { field: 'key[1]' }).catch((e: unknown) => e);
    expect(error).toMatchObject({ failures: [{ field: 'key[1].pem' }] });
  });
});

describe('what is known about a loaded key', () => {
  it('S-22: identity is made of the kid and the RFC 7638 thumbprint', async () => {
    const [first, other] = await Promise.all(['a', 'b'].map((kid) => loadSigningKey({ pem: pkcs8, kid })));
    expect(first?.thumbprint).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(first?.identity).toBe(`kid:${first?.thumbprint}:a`);
    expect(other?.identity).not.toBe(first?.identity);
    expect(first).toMatchObject({ alg: 'RS256', kid: 'a' });
    expect(first).not.toHaveProperty('x5c');
  });

  it('takes the registration date as a Date or an ISO date, and nothing else', async () => {
    const registeredAt = '2026-01-31';
    const loaded = await loadSigningKey({ pem: pkcs8, kid: 'k', registeredAt });
    expect(loaded.registeredAt).toEqual(new Date('2026-01-31T00:00:00Z'));
    for (const wrong of ['31.01.2026', '2026-13-01', 'yesterday', new Date(Number.NaN)]) {
      expect((await refusalOf({ pem: pkcs8, kid: 'k', registeredAt: wrong })).field).toBe('key.registeredAt');
    }
  });

  it.each([
    ['empty', ''],
    ['a space', 'a b'],
    ['a line break', 'a\r\nx: y'],
    ['a control character', 'a\u0000'],
    ['a letter outside ASCII', 'nøkkel'],
    ['129 characters', 'a'.repeat(129)],
  ])('T-59: a kid with %s is refused', async (_, kid) => {
    expect((await refusalOf({ pem: pkcs8, kid })).field).toBe('key.kid');
  });

  it('T-59: 128 visible characters are a kid', async () => {
    const kid = `~${'k'.repeat(126)}!`;
    expect((await loadSigningKey({ pem: pkcs8, kid })).kid).toBe(kid);
  });

  it('refuses a key with neither kid nor certificate, naming the field', async () => {
    expect((await refusalOf({ pem: pkcs8 })).field).toBe('key.kid');
  });

  it('does not sign for a caller that has gone', async () => {
    const loaded = await loadSigningKey({ pem: pkcs8, kid: 'k' });
    await expect(loaded.sign(data, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'MP_ABORTED' });
  });

  it('the public half that is shown is the public half of the private key', async () => {
    const loaded = await loadSigningKey({ pem: pkcs1, kid: 'k' });
    expect(loaded.publicKey?.type).toBe('public');
    expect(loaded.publicKey?.equals(createPublicKey(pkcs8))).toBe(true);
  });
});

describe('a PEM label around the bytes of the other form', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const relabelled = (type: 'pkcs1' | 'pkcs8', label: string): string =>
    privateKey
      .export({ type, format: 'pem' })
      .toString()
      .replaceAll(/(BEGIN|END) (?:RSA )?PRIVATE KEY/g, `$1 ${label}`);

  it.each([
    ['PKCS#1 in BEGIN PRIVATE KEY, as Azure Key Vault gives it', relabelled('pkcs1', 'PRIVATE KEY')],
    ['PKCS#8 in BEGIN RSA PRIVATE KEY', relabelled('pkcs8', 'RSA PRIVATE KEY')],
  ])('%s is read', async (_, pem) => {
    const loaded = await loadSigningKey({ pem, kid: 'k' });
    expect(loaded.publicKey?.equals(createPublicKey(privateKey))).toBe(true);
  });
});
