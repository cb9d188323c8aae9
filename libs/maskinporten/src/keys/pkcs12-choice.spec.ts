import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { isMaskinportenError } from '../errors/index.js';
import { makeKey, TestAuthority, type IssuedCertificate } from './keys.fixtures.js';
import { plainPkcs12 } from './pkcs12.fixtures.js';
import { jwkThumbprint } from '../key-files/index.js';
import { loadSigningKey, type Pkcs12KeySource } from './index.js';

const root = new TestAuthority();
const issue = (name: string, ...extensions: string[]): IssuedCertificate =>
  root.issue({ subject: `/CN=${name}`, extensions });

const authentication = issue('authentication', 'keyUsage=critical,digitalSignature');
const signing = issue('signing', 'keyUsage=critical,nonRepudiation');
const encryption = issue('encryption', 'keyUsage=critical,keyEncipherment');
const anything = issue('anything');
const other = issue('other');

const file = (...held: IssuedCertificate[]): Buffer =>
  plainPkcs12(
    held.map(({ key }) => key.privateKey),
    held.map(({ certificate }) => certificate),
  );

const load = (pkcs12: Buffer, more: Partial<Pkcs12KeySource> = {}): ReturnType<typeof loadSigningKey> =>
  loadSigningKey({ pkcs12, allowMissingMac: true, ...more });

async function refusalOf(pkcs12: Buffer, more: Partial<Pkcs12KeySource> = {}): Promise<string> {
  const error: unknown = await load(pkcs12, more).catch((thrown: unknown) => thrown);
  if (!isMaskinportenError(error, 'MP_CONFIG')) throw new Error(`expected MP_CONFIG, got ${String(error)}`);
  return error.message;
}

const thumbprintOf = ({ key }: IssuedCertificate): Promise<string> => jwkThumbprint(key.publicKey);
const fingerprintOf = ({ certificate }: IssuedCertificate): string => new X509Certificate(certificate).fingerprint256;

describe('F-115: several keys in one PKCS#12', () => {
  it('of a set for authentication, signing and encryption, the one for authentication signs', async () => {
    for (const pfx of [file(authentication, signing, encryption), file(encryption, signing, authentication)]) {
      expect((await load(pfx)).thumbprint).toBe(await thumbprintOf(authentication));
    }
  });

  it('the policy of Commfides tells authentication from signing when both may make signatures', async () => {
    const both = 'keyUsage=critical,digitalSignature,nonRepudiation';
    const auth = issue('authentication', both, 'certificatePolicies=2.16.578.1.29.913.210.1.0');
    const seal = issue('seal', both, 'certificatePolicies=2.16.578.1.29.913.200.1.0');
    expect((await load(file(seal, auth))).thumbprint).toBe(await thumbprintOf(auth));
  });

  it('the fingerprint of a certificate decides, however it is written', async () => {
    const pfx = file(authentication, signing);
    const fingerprint = fingerprintOf(signing);
    for (const certificateFingerprint of [fingerprint, fingerprint.replaceAll(':', '').toLowerCase()]) {
      expect((await load(pfx, { certificateFingerprint })).thumbprint).toBe(await thumbprintOf(signing));
    }
    expect(await refusalOf(pfx, { certificateFingerprint: fingerprintOf(other) })).toContain(
      'key.certificateFingerprint: is not that of a certificate in the file',
    );
  });

  it('a kid that is the thumbprint of one of them decides', async () => {
    const kid = await thumbprintOf(other);
    expect(await load(file(anything, other), { kid })).toMatchObject({ kid, thumbprint: kid });
  });

  it('is refused when nothing tells them apart, with what would', async () => {
    const message = await refusalOf(file(anything, other));
    expect(message).toMatch(/key\.pkcs12: holds 2 private keys, .* certificateFingerprint/);
    for (const candidate of [anything, other]) expect(message).toContain(fingerprintOf(candidate));
    const bare = plainPkcs12([anything.key.privateKey, other.key.privateKey], []);
    expect(await refusalOf(bare, { kid: 'k' })).toContain('keep one key in the file');
  });

  it('one key that stands there twice is one key', async () => {
    const { privateKey } = anything.key;
    const pfx = plainPkcs12([privateKey, privateKey], [anything.certificate]);
    expect((await load(pfx)).thumbprint).toBe(await thumbprintOf(anything));
  });

  it('more bags than any delivery has are refused', async () => {
    const pfx = plainPkcs12(
      [anything.key.privateKey],
      Array.from({ length: 24 }, () => anything.certificate),
    );
    expect(await refusalOf(pfx)).toContain('holds more than 24 PKCS#12 bags');
  });

  it('a key among certificates of others is refused as their key', async () => {
    const pfx = plainPkcs12([makeKey().privateKey], [anything.certificate, other.certificate]);
    expect(await refusalOf(pfx)).toContain('belongs to another key');
  });
});
