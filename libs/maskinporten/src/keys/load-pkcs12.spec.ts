import { createPublicKey, verify, X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { sized } from '../../../../test/support/size.js';
import { isMaskinportenError } from '../errors/index.js';
import { makeKey, openssl, TestAuthority } from './keys.fixtures.js';
import {
  forgePkcs12,
  forgeReads,
  hasLegacyProvider,
  isInstalled,
  keytoolPkcs12,
  LEGACY,
  needs,
  nssPkcs12,
  opensslPkcs12,
  opensslReads,
} from './pkcs12.fixtures.js';
import { loadSigningKey, type Pkcs12KeySource } from './index.js';

const root = new TestAuthority('/C=NO/O=Test/CN=Root');
const intermediate = new TestAuthority('/C=NO/O=Test/CN=Intermediate', root);
const key = makeKey(3072);
const leaf = intermediate.issue({ subject: '/C=NO/O=Prøve AS/organizationIdentifier=NTRNO-310000019/CN=Prøve', key });
const chain = [leaf.certificate, intermediate.certificate, root.certificate];
const everything = [key.pem, ...chain].join('');
const data = Buffer.from('header.claims');
const der = (pem: string): string => new X509Certificate(pem).raw.toString('base64');

const NORWEGIAN = 'blåbærsyltetøy';
const PLAIN = 'correct-horse';

async function refusalOf(source: Pkcs12KeySource): Promise<string> {
  const error: unknown = await loadSigningKey(source).catch((thrown: unknown) => thrown);
  if (!isMaskinportenError(error)) throw new Error(`expected our error, got ${String(error)}`);
  return `${error.code} ${error.failures.map(({ field, reason }) => `${field} ${reason}`).join()}`;
}

/** Loads, signs and presents the whole chain, and finds what the other readers find. */
async function expectWhole(pfx: Buffer, passphrase: string | undefined, readers: readonly Reader[]): Promise<void> {
  const loaded = await loadSigningKey({ pkcs12: pfx, ...(passphrase === undefined ? {} : { passphrase }) });
  expect(loaded.x5c).toEqual(chain.map(der));
  expect(loaded.certificateOrganisation).toBe('310000019');
  expect(verify('sha256', data, key.publicKey, await loaded.sign(data))).toBe(true);
  for (const reader of readers) expect(reader(pfx, passphrase ?? '')).toEqual(new Set(chain.map(der)));
}

/** The certificates that another implementation finds, after it has found the key. */
type Reader = (pfx: Buffer, password: string) => ReadonlySet<string>;

const byOpenssl: Reader = (pfx, password) => {
  const text = opensslReads(pfx, password);
  const [certificates, keys] = ['CERTIFICATE', 'PRIVATE KEY'].map((label) => blocks(text, label));
  expect(keys?.map((pem) => createPublicKey(pem).equals(key.publicKey))).toEqual([true]);
  return new Set(certificates?.map(der));
};

const byForge: Reader = (pfx, password) => {
  const { keys, certificates } = forgeReads(pfx, password);
  expect(keys).toBe(1);
  return new Set(certificates);
};

const blocks = (text: string, label: string): string[] =>
  text.match(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, 'g')) ?? [];

const BOTH = [byOpenssl, byForge];

interface Variant {
  readonly name: string;
  readonly password: string;
  readonly make: (password: string) => Buffer;
  /** Other implementations that can read it too; node-forge garbles other than ASCII in modern files. */
  readonly readers: readonly Reader[];
}

/** Few iterations unless `args` say how many: another reader derives its keys in JavaScript. */
const ossl = (args: readonly string[]) => (password: string) =>
  opensslPkcs12(everything, password, ['-iter', '64', ...args]);

const VARIANTS: readonly Variant[] = [
  {
    name: 'OpenSSL: AES-256, SHA-256',
    password: PLAIN,
    make: (password) => opensslPkcs12(everything, password),
    readers: BOTH,
  },
  {
    name: 'OpenSSL: AES-128, SHA-256',
    password: PLAIN,
    make: ossl(['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC']),
    readers: BOTH,
  },
  {
    name: 'OpenSSL: AES-192, MAC with SHA-384',
    password: PLAIN,
    make: ossl(['-keypbe', 'AES-192-CBC', '-certpbe', 'AES-192-CBC', '-macalg', 'sha384']),
    readers: [byOpenssl],
  },
  { name: 'OpenSSL: MAC with SHA-512', password: PLAIN, make: ossl(['-macalg', 'sha512']), readers: BOTH },
  {
    name: 'OpenSSL: Triple DES, MAC with SHA-1',
    password: PLAIN,
    make: ossl(['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']),
    readers: BOTH,
  },
  {
    name: 'OpenSSL: two-key Triple DES',
    password: PLAIN,
    make: ossl(['-keypbe', 'PBE-SHA1-2DES', '-certpbe', 'PBE-SHA1-2DES', '-macalg', 'sha1']),
    readers: [byOpenssl],
  },
  {
    name: 'OpenSSL: nothing encrypted',
    password: PLAIN,
    make: ossl(['-keypbe', 'NONE', '-certpbe', 'NONE']),
    readers: BOTH,
  },
  { name: 'OpenSSL: only the key encrypted', password: PLAIN, make: ossl(['-certpbe', 'NONE']), readers: BOTH },
  { name: 'OpenSSL: empty password', password: '', make: ossl([]), readers: [byOpenssl] },
  { name: 'OpenSSL: Norwegian password, modern', password: NORWEGIAN, make: ossl([]), readers: [byOpenssl] },
  {
    name: 'OpenSSL: Norwegian password, Triple DES',
    password: NORWEGIAN,
    make: ossl(['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']),
    readers: BOTH,
  },
  {
    name: 'OpenSSL: as many iterations as programs use today',
    password: PLAIN,
    make: ossl(['-iter', sized({ test: '100000', soak: '600000' })]),
    readers: [byOpenssl],
  },
  { name: 'OpenSSL: one MAC iteration', password: PLAIN, make: ossl(['-nomaciter']), readers: BOTH },
  {
    name: 'node-forge: AES-256',
    password: PLAIN,
    make: (password) => forgePkcs12(key.pem, chain, password, 'aes256'),
    readers: BOTH,
  },
  {
    name: 'node-forge: Triple DES',
    password: PLAIN,
    make: (password) => forgePkcs12(key.pem, chain, password, '3des'),
    readers: BOTH,
  },
  {
    name: 'node-forge: Norwegian password, Triple DES',
    password: NORWEGIAN,
    make: (password) => forgePkcs12(key.pem, chain, password, '3des'),
    readers: BOTH,
  },
  {
    name: 'node-forge: Norwegian password in Latin-1, AES-128',
    password: NORWEGIAN,
    make: (password) => forgePkcs12(key.pem, chain, password, 'aes128'),
    readers: [byForge],
  },
];

describe('PKCS#12 as programs write it', () => {
  it.each(VARIANTS)('$name: loads as other implementations read it', async ({ make, password, readers }) => {
    await expectWhole(make(password), password, readers);
  });

  it('the empty password in its other form, of no bytes at all, and no password given', async () => {
    const asNull = forgePkcs12(key.pem, chain, '', '3des');
    const asEmpty = opensslPkcs12(everything, '');
    for (const pfx of [asNull, asEmpty]) {
      await expectWhole(pfx, '', []);
      await expectWhole(pfx, undefined, []);
    }
  });

  it('a password typed with combining letters opens a file made with whole ones, and the reverse', async () => {
    const [composed, combining] = [NORWEGIAN.normalize('NFC'), NORWEGIAN.normalize('NFD')];
    expect(composed).not.toBe(combining);
    await expectWhole(opensslPkcs12(everything, composed), combining, []);
    await expectWhole(opensslPkcs12(everything, combining), composed, []);
  });

  it('a password whose UTF-8 was taken for Latin-1, as OpenSSL before 1.1 did', async () => {
    const mistaken = Buffer.from(NORWEGIAN).toString('latin1');
    const triple = ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'];
    await expectWhole(opensslPkcs12(everything, mistaken, triple), NORWEGIAN, []);
  });

  it('base64 of it, as it stands in an environment variable', async () => {
    const pkcs12 = opensslPkcs12(everything, PLAIN).toString('base64');
    expect((await loadSigningKey({ pkcs12, passphrase: PLAIN })).x5c).toEqual(chain.map(der));
  });

  it('a kid wins over the certificate, whose end is still known', async () => {
    const loaded = await loadSigningKey({ pkcs12: opensslPkcs12(everything, PLAIN), passphrase: PLAIN, kid: 'k' });
    expect(loaded).not.toHaveProperty('x5c');
    expect(loaded).toMatchObject({ kid: 'k', certificateNotAfter: new Date('2040-01-01T00:00:00Z') });
  });
});

describe('PKCS#12 of OpenSSL with its legacy provider', () => {
  needs('the legacy provider of OpenSSL', hasLegacyProvider(), () => {
    it.each([
      ['RC2-40 and Triple DES', PLAIN, [...LEGACY]],
      ['RC2-40 and Triple DES, Norwegian password', NORWEGIAN, [...LEGACY]],
      ['RC2-128 for both', PLAIN, [...LEGACY, '-keypbe', 'PBE-SHA1-RC2-128', '-certpbe', 'PBE-SHA1-RC2-128']],
      ['RC2-40 for both', PLAIN, [...LEGACY, '-keypbe', 'PBE-SHA1-RC2-40', '-certpbe', 'PBE-SHA1-RC2-40']],
    ])('%s', async (_, password, args) => {
      // node-forge knows RC2 with 40 bits only.
      const readers = args.includes('PBE-SHA1-RC2-128') ? [byOpenssl] : BOTH;
      await expectWhole(opensslPkcs12(everything, password, args), password, readers);
    });

    it('RC4 is refused by name', async () => {
      const pkcs12 = opensslPkcs12(everything, PLAIN, [...LEGACY, '-certpbe', 'PBE-SHA1-RC4-128']);
      expect(await refusalOf({ pkcs12, passphrase: PLAIN })).toMatch(
        /key\.pkcs12 is encrypted with pbeWithSHA1And128BitRC4, which is not read/,
      );
    });
  });
});

describe('PKCS#12 of Java', () => {
  needs('keytool', isInstalled('keytool'), () => {
    it.each([
      ['as it writes it', []],
      ['as it wrote it before Java 17', ['-J-Dkeystore.pkcs12.legacy']],
    ])('keytool: %s', async (_, args) => {
      const pfx = keytoolPkcs12(opensslPkcs12(everything, PLAIN), PLAIN, args);
      await expectWhole(pfx, PLAIN, [byOpenssl]);
    });
  });
});

describe('PKCS#12 of a browser', () => {
  needs('pk12util of NSS', isInstalled('pk12util'), () => {
    const triple = 'PKCS #12 V2 PBE With SHA-1 And 3KEY Triple DES-CBC';
    const rc2 = 'PKCS #12 V2 PBE With SHA-1 And 40 Bit RC2 CBC';
    const forms: [string, string[]][] = [
      ['as it writes it', []],
      ['AES-256', ['-c', 'AES-256-CBC', '-C', 'AES-256-CBC']],
      ['Triple DES and RC2, as Firefox wrote it for years', ['-c', triple, '-C', rc2]],
    ];
    // NSS iterates 600,000 times for each part. The same ciphers with fewer iterations are OpenSSL's files above.
    it.each(sized({ test: forms.slice(0, 1), soak: forms }))('NSS: %s', async (_, args) => {
      await expectWhole(nssPkcs12(opensslPkcs12(everything, PLAIN), PLAIN, args), PLAIN, [byOpenssl]);
    });
  });
});

describe('PKCS#12 that is refused', () => {
  const pfx = opensslPkcs12(everything, PLAIN);

  it('F-113: a missing and a wrong passphrase are told apart', async () => {
    expect(await refusalOf({ pkcs12: pfx })).toMatch(/^MP_CONFIG key\.passphrase is missing: the PKCS#12 file/);
    expect(await refusalOf({ pkcs12: pfx, passphrase: 'wrong' })).toMatch(/^MP_CONFIG key\.passphrase is wrong, or/);
    expect(await refusalOf({ pkcs12: pfx, passphrase: NORWEGIAN })).toMatch(/^MP_CONFIG key\.passphrase is wrong, or/);
  });

  it('a file without a MAC is refused, and taken when that is asked for', async () => {
    const pkcs12 = opensslPkcs12(everything, PLAIN, ['-nomac']);
    expect(await refusalOf({ pkcs12, passphrase: PLAIN })).toMatch(
      /key\.pkcs12 is PKCS#12 without a MAC.*allowMissingMac/,
    );
    const loaded = await loadSigningKey({ pkcs12, passphrase: PLAIN, allowMissingMac: true });
    expect(loaded.x5c).toEqual(chain.map(der));
    expect(await refusalOf({ pkcs12, passphrase: 'x', allowMissingMac: true })).toContain(
      'key.passphrase is wrong, or',
    );
  });

  it('F-113: a MAC of PBMAC1 and of MD5 are named for what they are', async () => {
    const sha256 = Buffer.from('0609608648016503040201', 'hex');
    const at = pfx.lastIndexOf(sha256);
    const pbmac1 = Buffer.concat([
      pfx.subarray(0, at),
      Buffer.from('06092a864886f70d01050e', 'hex'),
      pfx.subarray(at + 11),
    ]);
    expect(await refusalOf({ pkcs12: pbmac1, passphrase: PLAIN })).toMatch(
      /key\.pkcs12 is PKCS#12 with a PBMAC1 .*not read yet/,
    );
    const md5 = opensslPkcs12(everything, PLAIN, ['-macalg', 'md5']);
    expect(await refusalOf({ pkcs12: md5, passphrase: PLAIN })).toContain('with a MAC that is not read');
  });

  it('F-114: a certificate of another key is refused', async () => {
    const other = intermediate.issue({ subject: '/CN=Other' });
    const pkcs12 = forgePkcs12(key.pem, [other.certificate], PLAIN, 'aes256');
    expect(await refusalOf({ pkcs12, passphrase: PLAIN })).toMatch(/key\.pkcs12 belongs to another key/);
  });

  it('F-116: elliptic curve, small and missing keys are refused', async () => {
    const ec = openssl(['ecparam', '-name', 'prime256v1', '-genkey', '-noout']);
    const ecPfx = opensslPkcs12(ec, PLAIN, ['-nocerts']);
    expect(await refusalOf({ pkcs12: ecPfx, passphrase: PLAIN, kid: 'k' })).toContain('key.pkcs12 is an EC key');
    const small = opensslPkcs12(openssl(['genrsa', '1024']), PLAIN, ['-nocerts']);
    expect(await refusalOf({ pkcs12: small, passphrase: PLAIN, kid: 'k' })).toContain('key.pkcs12 is too small');
    const none = opensslPkcs12(leaf.certificate, PLAIN, ['-nokeys']);
    expect(await refusalOf({ pkcs12: none, passphrase: PLAIN })).toContain('key.pkcs12 holds certificates only');
    expect(await refusalOf({ pkcs12: opensslPkcs12(key.pem, PLAIN, ['-nocerts']), passphrase: PLAIN })).toContain(
      'key.kid is missing',
    );
  });

  it('F-119: an expired certificate is an error of its own', async () => {
    const old = intermediate.issue({ subject: '/CN=Old', key, from: '20200101000000Z', to: '20210101000000Z' });
    const pkcs12 = opensslPkcs12(key.pem + old.certificate, PLAIN);
    expect(await refusalOf({ pkcs12, passphrase: PLAIN })).toMatch(/^MP_CERTIFICATE_EXPIRED key\.pkcs12/);
  });
});

describe('what mounted files and echo add', () => {
  it.each(['\n', '\r\n'])('F-148: one line break (%j) at the end is not part of a passphrase', async (lineBreak) => {
    const pfx = opensslPkcs12(everything, PLAIN);
    await expectWhole(pfx, `${PLAIN}${lineBreak}`, []);
    expect(await refusalOf({ pkcs12: pfx, passphrase: `${PLAIN}${lineBreak}${lineBreak}` })).toContain(
      'passphrase is wrong',
    );
    const pem = openssl(['pkcs8', '-topk8', '-v2', 'aes256', '-passout', `pass:${PLAIN}`], key.pem);
    await expect(loadSigningKey({ pem, kid: 'k', passphrase: `${PLAIN}${lineBreak}` })).resolves.toMatchObject({
      kid: 'k',
    });
  });

  it('nor of the file itself, in DER and in base64', async () => {
    const pfx = opensslPkcs12(everything, PLAIN);
    await expectWhole(Buffer.concat([pfx, Buffer.from('\n')]), PLAIN, []);
    const loaded = await loadSigningKey({ pkcs12: `${pfx.toString('base64')}\n`, passphrase: PLAIN });
    expect(loaded.x5c).toEqual(chain.map(der));
  });
});
