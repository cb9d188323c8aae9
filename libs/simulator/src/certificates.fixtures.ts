import { execFileSync } from 'node:child_process';
import { type KeyObject, X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Issued {
  readonly pem: string;
  readonly der: string;
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
  readonly name: string;
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

/** A small certificate authority made with OpenSSL, in a directory of its own. */
export class CertificateAuthority {
  readonly #directory = mkdtempSync(join(tmpdir(), 'simulator-ca-'));
  #count = 0;

  #path(name: string): string {
    return join(this.#directory, name);
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.#directory, stdio: 'pipe' });
  }

  issue({ subject, issuer, ca = false, notBefore, notAfter, keyArguments = RSA }: Request): Issued {
    this.#count += 1;
    const name = `c${this.#count}`;
    this.#openssl('genpkey', ...keyArguments, '-out', `${name}.key`);
    this.#openssl('req', '-new', '-utf8', '-key', `${name}.key`, '-subj', subject, '-out', `${name}.csr`);
    writeFileSync(
      this.#path(`${name}.cnf`),
      [
        '[ca]',
        'default_ca = here',
        '[here]',
        `database = ${name}.index`,
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
    writeFileSync(this.#path(`${name}.index`), '');
    const signer = issuer
      ? ['-cert', `${issuer.name}.pem`, '-keyfile', `${issuer.name}.key`]
      : ['-selfsign', '-keyfile', `${name}.key`];
    this.#openssl(
      'ca',
      '-batch',
      '-notext',
      '-config',
      `${name}.cnf`,
      '-extensions',
      'extensions',
      ...signer,
      '-startdate',
      notBefore ?? '20250101000000Z',
      '-enddate',
      notAfter ?? '20350101000000Z',
      '-in',
      `${name}.csr`,
      '-out',
      `${name}.pem`,
    );
    const pem = readFileSync(this.#path(`${name}.pem`), 'utf8');
    const certificate = new X509Certificate(pem);
    return {
      name,
      pem,
      certificate,
      der: certificate.raw.toString('base64'),
      privateKey: createPrivateKey(readFileSync(this.#path(`${name}.key`))),
    };
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
