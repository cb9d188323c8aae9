import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isMaskinportenError } from '../errors/index.js';
import { compileRooms } from './compiled-rooms.fixtures.js';
import { makeKey, TestAuthority } from './keys.fixtures.js';
import { certificateHolder, certificateOrganisation } from '../certificates/index.js';
import { loadSigningKey, type KeySource, type KeyWarning } from './index.js';

const root = new TestAuthority('/C=NO/O=Test/CN=Root');
const intermediate = new TestAuthority('/C=NO/O=Test/CN=Intermediate', root);
const key = makeKey();
const leaf = intermediate.issue({ subject: '/C=NO/O=Test/organizationIdentifier=NTRNO-310000019/CN=Leaf', key });
const der = (pem: string): string => new X509Certificate(pem).raw.toString('base64');

async function refusalOf(source: KeySource): Promise<string> {
  const error: unknown = await loadSigningKey(source).catch((thrown: unknown) => thrown);
  if (!isMaskinportenError(error)) throw new Error(`expected our error, got ${String(error)}`);
  return `${error.code} ${error.failures.map(({ field, reason }) => `${field}: ${reason}`).join()}`;
}

describe('certificate chains', () => {
  const ordered = [leaf.certificate, intermediate.certificate, root.certificate];

  it.each([
    ['in order', ordered],
    ['root first', ordered.toReversed()],
    ['shuffled', [intermediate.certificate, root.certificate, leaf.certificate]],
    ['with strangers', [new TestAuthority().certificate, ...ordered]],
  ])('x5c is leaf first and whole when the certificates come %s', async (_, certificates) => {
    const loaded = await loadSigningKey({ pem: key.pem, certificateChain: certificates.join('') });
    expect(loaded.x5c).toEqual(ordered.map(der));
    expect(loaded).not.toHaveProperty('kid');
    expect(loaded.identity).toMatch(/^x5c:[A-Za-z0-9_-]{43}:[A-Za-z0-9_-]{43}$/);
  });

  it('x5c is standard base64, not base64url (RFC 7515 §4.1.6)', async () => {
    const loaded = await loadSigningKey({ pem: key.pem, certificateChain: ordered.join('') });
    for (const entry of loaded.x5c ?? []) expect(entry).toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
  });

  it('takes the certificates that stand beside the key in one PEM', async () => {
    const loaded = await loadSigningKey({ pem: `${root.certificate}${key.pem}${leaf.certificate}` });
    expect(loaded.x5c).toEqual([der(leaf.certificate)]);
  });

  it('takes base64 of the PEM, DER, and the x5c of a JWK', async () => {
    const base64 = Buffer.from(ordered.join('')).toString('base64');
    expect((await loadSigningKey({ pem: key.pem, certificateChain: base64 })).x5c).toHaveLength(3);
    const raw = new X509Certificate(leaf.certificate).raw;
    expect((await loadSigningKey({ pem: key.pem, certificateChain: raw })).x5c).toHaveLength(1);
    const jwk = JSON.stringify({ ...key.jwk, x5c: [der(leaf.certificate)] });
    expect((await loadSigningKey({ jwk })).x5c).toEqual([der(leaf.certificate)]);
  });

  it('a kid wins: the header carries no x5c, the expiry is still known', async () => {
    const loaded = await loadSigningKey({ pem: key.pem, kid: 'k', certificateChain: ordered.join('') });
    expect(loaded).not.toHaveProperty('x5c');
    expect(loaded).toMatchObject({
      kid: 'k',
      certificateNotBefore: new Date('2024-01-01T00:00:00Z'),
      certificateNotAfter: new Date('2040-01-01T00:00:00Z'),
      certificateOrganisation: '310000019',
    });
  });

  it('of two certificates for the key, the one that lasts longest is presented', async () => {
    const subject = '/C=NO/CN=Renewed';
    const renewed = intermediate.issue({ subject, key, from: '20250101000000Z', to: '20450101000000Z' });
    const loaded = await loadSigningKey({ pem: key.pem, certificateChain: leaf.certificate + renewed.certificate });
    expect(loaded.x5c).toEqual([der(renewed.certificate)]);
  });

  it('F-114: a certificate of another key is refused', async () => {
    const other = intermediate.issue({ subject: '/C=NO/CN=Other' });
    for (const kid of [{}, { kid: 'k' }]) {
      const source = { pem: key.pem, certificateChain: other.certificate, ...kid };
      expect(await refusalOf(source)).toMatch(/MP_CONFIG key\.certificateChain: belongs to another key/);
    }
  });

  it('F-113: damaged certificates and text without any are refused', async () => {
    const damaged = leaf.certificate.replace(/\n[^\n]{64}\n/, '\n');
    expect(await refusalOf({ pem: key.pem, certificateChain: damaged })).toContain(
      'key.certificateChain: holds a cert',
    );
    expect(await refusalOf({ pem: key.pem, certificateChain: key.pem })).toContain('holds no certificate');
    expect(await refusalOf({ pem: key.pem, certificateChain: 'not a certificate' })).toContain('holds no certificate');
    const large = Buffer.alloc(1024 * 1024 + 1, 'A');
    expect(await refusalOf({ pem: key.pem, certificateChain: large })).toContain('larger than 1 MiB');
  });

  it.each([
    ['issuer', 'Intermediate'],
    ['subject', 'Leaf'],
  ])('F-113: a certificate whose %s is in no encoding that there is says nothing about it', async (_, name) => {
    // RELATIVE-OID in place of UTF8String; Node gives no name at all then.
    const damaged = new X509Certificate(leaf.certificate).raw
      .toString('latin1')
      .replace(`\x0c${String.fromCodePoint(name.length)}${name}`, (text) => `\x0d${text.slice(1)}`);
    const certificateChain = Buffer.from(damaged, 'latin1');
    expect(certificateChain.equals(new X509Certificate(leaf.certificate).raw)).toBe(false);
    await expect(loadSigningKey({ pem: key.pem, kid: 'k', certificateChain })).resolves.toMatchObject({ kid: 'k' });
  });

  it('F-116: a PEM with certificates only is refused', async () => {
    expect(await refusalOf({ pem: leaf.certificate })).toContain('certificates only');
  });
});

describe('certificates out of their time', () => {
  const expired = intermediate.issue({ subject: '/CN=Old', key, from: '20200101000000Z', to: '20210101000000Z' });
  const future = intermediate.issue({ subject: '/CN=New', key, from: '20380101000000Z', to: '20390101000000Z' });

  it('F-119: presented as x5c they are errors of their own kind', async () => {
    expect(await refusalOf({ pem: key.pem, certificateChain: expired.certificate })).toMatch(
      /^MP_CERTIFICATE_EXPIRED key\.certificateChain: The certificate expired at 2021-01-01/,
    );
    expect(await refusalOf({ pem: key.pem, certificateChain: future.certificate })).toMatch(
      /^MP_CERTIFICATE key\.certificateChain: The certificate is not valid before 2038-01-01/,
    );
  });

  it('F-119: beside a kid they are warnings', async () => {
    const warnings: KeyWarning[] = [];
    const onWarning = (warning: KeyWarning): number => warnings.push(warning);
    await loadSigningKey({ pem: key.pem, kid: 'k', certificateChain: expired.certificate }, { onWarning });
    await loadSigningKey({ pem: key.pem, kid: 'k', certificateChain: future.certificate }, { onWarning });
    const codes = warnings.map(({ code }) => code).filter((code) => code !== 'small-key');
    expect(codes).toEqual(['certificate-expired', 'certificate-not-yet-valid']);
  });

  it('F-119: the clock that counts is the one given', async () => {
    const source = { pem: key.pem, certificateChain: expired.certificate };
    expect((await loadSigningKey(source, { now: () => Date.parse('2020-06-01') })).x5c).toHaveLength(1);
  });
});

function holderOf(subject: string): ReturnType<typeof certificateHolder> {
  return certificateHolder(new X509Certificate(root.issue({ subject, key }).certificate));
}

describe('the organisation in a certificate', () => {
  it.each([
    ['SEID 2.0', '/CN=X/organizationIdentifier=NTRNO-310000019', { scheme: 'NTRNO', id: '310000019' }],
    ['SEID 1.0', '/CN=X/serialNumber=310000027', { scheme: 'NTRNO', id: '310000027' }],
    [
      'both: SEID 2.0 wins',
      '/serialNumber=310000027/organizationIdentifier=NTRNO-310000019/CN=X',
      { scheme: 'NTRNO', id: '310000019' },
    ],
    [
      'a foreign seal',
      '/CN=X/organizationIdentifier=VATSE-5560000000',
      { scheme: 'VAT', country: 'SE', id: '5560000000' },
    ],
    ['wrong check digit', '/CN=X/organizationIdentifier=NTRNO-310000010', undefined],
    ['a person', '/CN=X/serialNumber=UN:NO-9578-4500-123', undefined],
    ['a number planted in the common name', '/CN=X\\, organizationIdentifier=NTRNO-310000019', undefined],
    ['a number planted in the organisation', '/O=organizationIdentifier=NTRNO-310000019/CN=310000019', undefined],
    ['text around it', '/CN=X/organizationIdentifier=xNTRNO-310000019', undefined],
    ['two identifiers', '/organizationIdentifier=NTRNO-310000019/organizationIdentifier=NTRNO-310000027', undefined],
    ['two serial numbers', '/serialNumber=310000019/serialNumber=310000027', undefined],
    ['nothing', '/CN=X', undefined],
  ])('%s', (_, subject, expected) => {
    expect(holderOf(subject)).toEqual(expected);
  });

  it('only a Norwegian number is an organisation number', () => {
    const foreign = root.issue({ subject: '/CN=X/organizationIdentifier=VATSE-310000019', key });
    expect(certificateOrganisation(new X509Certificate(foreign.certificate))).toBeUndefined();
    expect(certificateOrganisation(new X509Certificate(leaf.certificate))).toBe('310000019');
  });
});

// The runner's own process has loaded TLS long ago, and what is broken stays broken: each case is a process of its own.
describe('F-159: names in a certificate, read before anything has loaded TLS', () => {
  it.each([
    ['certificate-organisation.js', 'certificateOrganisation(certificate)', '310000019'],
    ['certificate-environment.js', 'certificateEnvironment([certificate]) ?? "none"', 'none'],
  ])('%s leaves TLS as it is', (file, call, answer) => {
    const directory = mkdtempSync(join(tmpdir(), 'maskinporten-names-'));
    try {
      compileRooms(directory, ['errors', 'key-files', 'certificates', 'keys']);
      const script = `
        import { createRequire } from 'node:module';
        import { X509Certificate } from 'node:crypto';
        const { ${call.split('(')[0]} } = await import('./certificates/${file}');
        const certificate = new X509Certificate(process.env.CERTIFICATE);
        const answer = ${call};
        console.log(answer, typeof createRequire(import.meta.url)('node:tls').createSecureContext);`;
      writeFileSync(join(directory, 'child.mjs'), script);
      const env = { CERTIFICATE: leaf.certificate };
      expect(execFileSync(process.execPath, [join(directory, 'child.mjs')], { env }).toString()).toBe(
        `${answer} function\n`,
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
