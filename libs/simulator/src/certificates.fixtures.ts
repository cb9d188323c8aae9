import { execFileSync } from 'node:child_process';
import { type KeyObject, X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { oncePerRun, poolFolder } from '../../../test/support/pool.js';

export interface Issued {
  readonly pem: string;
  readonly der: string;
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
}

export interface Request {
  /** OpenSSL's notation: `/CN=…/organizationIdentifier=…`. */
  readonly subject: string;
  readonly issuer?: Issued;
  readonly ca?: boolean;
  /** `YYYYMMDDHHMMSSZ` */
  readonly notBefore?: string;
  readonly notAfter?: string;
  /** Arguments of `openssl genpkey`. */
  readonly keyArguments?: readonly string[];
}

const RSA = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'];

/** A small certificate authority made with OpenSSL. What it issues is made once per run. */
export class CertificateAuthority {
  issue(request: Request): Issued {
    const { subject, issuer, ca = false, notBefore = '', notAfter = '', keyArguments = RSA } = request;
    const recipe = ['simulator-ca', issuer?.pem ?? '', subject, String(ca), notBefore, notAfter, ...keyArguments];
    const made = oncePerRun(recipe, () => issueWithOpenssl(request)).toString();
    const pem = made.slice(made.indexOf('-----BEGIN CERTIFICATE-----'));
    const certificate = new X509Certificate(pem);
    const privateKey = createPrivateKey(made.slice(0, -pem.length));
    return { pem, certificate, der: certificate.raw.toString('base64'), privateKey };
  }
}

/** The private key in PEM, and the certificate behind it. */
function issueWithOpenssl({ subject, issuer, ca = false, notBefore, notAfter, keyArguments = RSA }: Request): Buffer {
  const directory = mkdtempSync(join(poolFolder, 'simulator-ca-'));
  const write = (name: string, text: string): void => writeFileSync(join(directory, name), text);
  const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  openssl('genpkey', ...keyArguments, '-out', 'key.pem');
  openssl('req', '-new', '-utf8', '-key', 'key.pem', '-subj', subject, '-out', 'request.pem');
  write(
    'ca.cnf',
    [
      '[ca]',
      'default_ca = here',
      '[here]',
      'database = index',
      'new_certs_dir = .',
      'rand_serial = yes',
      'default_md = sha256',
      'policy = anything',
      'unique_subject = no',
      'preserve = yes',
      '[anything]',
      'countryName = optional',
      'organizationName = optional',
      'organizationIdentifier = optional',
      'serialNumber = optional',
      'commonName = optional',
      '[extensions]',
      `basicConstraints = critical, CA:${ca ? 'TRUE' : 'FALSE'}`,
      `keyUsage = critical, ${ca ? 'keyCertSign, cRLSign' : 'digitalSignature'}`,
      'subjectKeyIdentifier = hash',
    ].join('\n'),
  );
  write('index', '');
  if (issuer !== undefined) {
    write('issuer.pem', issuer.pem);
    write('issuer.key', issuer.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  }
  const signer = issuer ? ['-cert', 'issuer.pem', '-keyfile', 'issuer.key'] : ['-selfsign', '-keyfile', 'key.pem'];
  const dates = ['-startdate', notBefore ?? '20250101000000Z', '-enddate', notAfter ?? '20350101000000Z'];
  const sign = ['ca', '-batch', '-notext', '-config', 'ca.cnf', '-extensions', 'extensions'];
  openssl(...sign, ...signer, ...dates, '-in', 'request.pem', '-out', 'certificate.pem');
  const made = ['key.pem', 'certificate.pem'].map((name) => readFileSync(join(directory, name)));
  rmSync(directory, { recursive: true });
  return Buffer.concat(made);
}
