import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate, type KeyObject } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { AuthenticatedSafe, CertBag, PFX, SafeBag, SafeContents } from '@peculiar/asn1-pfx';
import forge from 'node-forge';
import { oncePerRun } from '../../../../test/support/pool.js';
import { openssl, opensslBytes } from './keys.fixtures.js';

export { needs } from '../../../../test/support/needs.js';

/** Flags that let OpenSSL 3 use RC2. */
export const LEGACY = ['-legacy', '-provider', 'legacy', '-provider', 'default'] as const;

export function isInstalled(command: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, command)));
}

export function hasLegacyProvider(): boolean {
  const { status } = spawnSync('openssl', ['list', '-providers', '-provider', 'legacy'], { stdio: 'ignore' });
  return status === 0;
}

/** `openssl pkcs12 -export` of PEM keys and certificates. */
export function opensslPkcs12(pem: string, password: string, args: readonly string[] = []): Buffer {
  const command = ['pkcs12', '-export', '-name', 'test', '-passout', `pass:${password}`, ...args];
  return oncePerRun([...command, pem], () => opensslBytes(command, pem));
}

/** What OpenSSL reads in a PKCS#12: private keys and certificates in PEM. */
export function opensslReads(pfx: Buffer, password: string): string {
  const args = ['pkcs12', '-nodes', '-passin', `pass:${password}`];
  try {
    return openssl(args, pfx);
  } catch {
    return openssl([...args, ...LEGACY], pfx);
  }
}

/** Few iterations, since node-forge derives its keys in JavaScript. */
const count = 64;

/** Bytes of text as node-forge has them: one character each. */
export function forgePkcs12(
  keyPem: string,
  certificates: readonly string[],
  password: string,
  algorithm: 'aes128' | 'aes192' | 'aes256' | '3des',
): Buffer {
  const key = forge.pki.privateKeyFromPem(keyPem);
  const chain = certificates.map((pem) => forge.pki.certificateFromPem(pem));
  const asn1 = forge.pkcs12.toPkcs12Asn1(key, chain, password, { algorithm, count });
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1');
}

/** The DER of the certificates that node-forge finds. */
export function forgeReads(pfx: Buffer, password: string): { keys: number; certificates: string[] } {
  const opened = forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(pfx.toString('latin1')), password);
  const bags = (type: string): forge.pkcs12.Bag[] => opened.getBags({ bagType: type })[type] ?? [];
  const { certBag, keyBag, pkcs8ShroudedKeyBag } = forge.pki.oids;
  return {
    keys: bags(String(keyBag)).length + bags(String(pkcs8ShroudedKeyBag)).length,
    certificates: bags(String(certBag)).flatMap(({ cert }) =>
      cert === undefined
        ? []
        : [Buffer.from(forge.asn1.toDer(forge.pki.certificateToAsn1(cert)).getBytes(), 'latin1').toString('base64')],
    ),
  };
}

/** A keystore that keytool has read and written again. */
export function keytoolPkcs12(pfx: Buffer, password: string, args: readonly string[] = []): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'maskinporten-keytool-'));
  const from = join(directory, 'from.p12');
  const to = join(directory, 'to.p12');
  writeFileSync(from, pfx);
  const source = ['-srckeystore', from, '-srcstoretype', 'PKCS12', '-srcstorepass', password];
  const target = ['-destkeystore', to, '-deststoretype', 'PKCS12', '-deststorepass', password];
  execFileSync('keytool', [...args, '-importkeystore', '-noprompt', ...source, ...target], { stdio: 'pipe' });
  return readFileSync(to);
}

/** An export made by NSS, the library in which Firefox and Chromium on Linux keep keys. */
export function nssPkcs12(pfx: Buffer, password: string, args: readonly string[] = []): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'maskinporten-nss-'));
  const database = ['-d', `sql:${directory}`, '-K', ''];
  const from = join(directory, 'from.p12');
  const to = join(directory, 'to.p12');
  writeFileSync(from, pfx);
  execFileSync('certutil', ['-N', '-d', `sql:${directory}`, '--empty-password'], { stdio: 'pipe' });
  execFileSync('pk12util', ['-i', from, ...database, '-W', password], { stdio: 'pipe' });
  execFileSync('pk12util', ['-o', to, '-n', 'test', ...database, '-W', password, ...args], { stdio: 'pipe' });
  return readFileSync(to);
}

const octets = (bytes: ArrayBuffer): ArrayBuffer => AsnConvert.serialize(new OctetString(bytes));

const bag = (bagId: string, bagValue: ArrayBuffer | Buffer): SafeBag =>
  new SafeBag({ bagId, bagValue: new Uint8Array(bagValue).buffer });

const content = (bytes: ArrayBuffer): PFX['authSafe'] =>
  Object.assign(new PFX().authSafe, { contentType: '1.2.840.113549.1.7.1', content: octets(bytes) });

/**
 * A PKCS#12 without encryption and MAC that holds whatever it is given: other tools make files of one key only, or hide
 * their structure from those who want to damage it.
 */
export function plainPkcs12(keys: readonly KeyObject[], certificates: readonly string[]): Buffer {
  const safe = new SafeContents([
    ...keys.map((key) => bag('1.2.840.113549.1.12.10.1.1', key.export({ type: 'pkcs8', format: 'der' }))),
    ...certificates.map((pem) => {
      const certValue = octets(new Uint8Array(new X509Certificate(pem).raw).buffer);
      const certBag = new CertBag({ certId: '1.2.840.113549.1.9.22.1', certValue });
      return bag('1.2.840.113549.1.12.10.1.3', AsnConvert.serialize(certBag));
    }),
  ]);
  const authSafe = content(AsnConvert.serialize(new AuthenticatedSafe([content(AsnConvert.serialize(safe))])));
  return Buffer.from(AsnConvert.serialize(Object.assign(new PFX({ authSafe }), { macData: undefined })));
}

/** The places of `pattern` in `bytes`. */
export function placesOf(pattern: Buffer, bytes: Buffer): number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(pattern); at !== -1; at = bytes.indexOf(pattern, at + 1)) places.push(at);
  return places;
}
