import { execFileSync } from 'node:child_process';
import { randomBytes, type JsonWebKey, type KeyObject } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { oncePerRun, poolFolder, rsaKeyPair } from '../../../../test/support/pool.js';

export interface TestKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** PKCS#8. */
  readonly pem: string;
  readonly jwk: JsonWebKey;
}

export function makeKey(bits = 2048): TestKey {
  const { privateKey, publicKey } = rsaKeyPair(bits);
  return {
    privateKey,
    publicKey,
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    jwk: privateKey.export({ format: 'jwk' }),
  };
}

export interface CertificateRequest {
  /** As `openssl req -subj`: `/C=NO/CN=…`. */
  readonly subject: string;
  readonly key?: TestKey;
  /** `YYYYMMDDHHMMSSZ`. */
  readonly from?: string;
  readonly to?: string;
  /** `DNS:localhost,IP:127.0.0.1` */
  readonly subjectAltName?: string;
  /** More lines as in an OpenSSL extension file: `keyUsage=digitalSignature`. */
  readonly extensions?: readonly string[];
}

export interface IssuedCertificate {
  readonly certificate: string;
  readonly key: TestKey;
}

/** A certificate authority made with OpenSSL at test time. What it issues is made once per run. */
export class TestAuthority {
  readonly certificate: string;
  readonly #key = makeKey();
  #directory: string | undefined;

  constructor(subject = '/C=NO/O=Test Authority/CN=Test Root', parent?: TestAuthority) {
    this.certificate =
      parent === undefined
        ? this.#selfSign(subject)
        : parent.#sign({ subject, key: this.#key }, 'basicConstraints=critical,CA:true\nsubjectKeyIdentifier=hash');
  }

  issue(request: CertificateRequest): IssuedCertificate {
    const key = request.key ?? makeKey();
    const { subjectAltName, extensions = [] } = request;
    const names = subjectAltName === undefined ? [] : [`subjectAltName=${subjectAltName}`];
    const lines = ['basicConstraints=CA:false', ...names, ...extensions];
    return { key, certificate: this.#sign({ ...request, key }, lines.join('\n')) };
  }

  /** For a key whose private half is elsewhere, as on a token: without the signature of a request. */
  issuePublic(request: { readonly subject: string; readonly publicKey: string }): string {
    writeFileSync(this.#path('ca.crt'), this.certificate);
    writeFileSync(this.#path('public.pem'), request.publicKey);
    writeFileSync(this.#path('leaf.key'), makeKey().pem);
    writeFileSync(this.#path('leaf.ext'), 'basicConstraints=CA:false');
    const subject = ['-subj', request.subject, '-utf8', '-config', this.#path('ca.cnf')];
    openssl(['req', '-new', '-key', this.#path('leaf.key'), ...subject, '-out', this.#path('leaf.csr')]);
    const authority = ['-CA', this.#path('ca.crt'), '-CAkey', this.#path('ca.key'), '-days', '365'];
    const from = ['-in', this.#path('leaf.csr'), '-force_pubkey', this.#path('public.pem')];
    return openssl(['x509', '-req', ...from, ...authority, '-extfile', this.#path('leaf.ext')]);
  }

  #selfSign(subject: string): string {
    return oncePerRun(['self-signed', subject, this.#key.pem], () => {
      const name = ['-subj', subject, '-days', '3650', '-utf8'];
      const files = ['-key', this.#path('ca.key'), '-config', this.#path('ca.cnf'), '-extensions', 'root'];
      return opensslBytes(['req', '-x509', '-new', ...name, ...files]);
    }).toString();
  }

  #sign(request: CertificateRequest & { readonly key: TestKey }, extensions: string): string {
    const { subject, key, from = '20240101000000Z', to = '20400101000000Z' } = request;
    const recipe = ['signed', this.certificate, this.#key.pem, subject, key.pem, from, to, extensions];
    return oncePerRun(recipe, () => {
      writeFileSync(this.#path('ca.crt'), this.certificate);
      writeFileSync(this.#path('leaf.key'), key.pem);
      writeFileSync(this.#path('leaf.ext'), extensions);
      const config = ['-config', this.#path('ca.cnf')];
      const name = ['-subj', subject, '-utf8'];
      openssl(['req', '-new', '-key', this.#path('leaf.key'), ...name, ...config, '-out', this.#path('leaf.csr')]);
      const sign = ['ca', '-batch', '-notext', '-preserveDN', ...config, '-startdate', from, '-enddate', to];
      const files = ['-in', this.#path('leaf.csr'), '-out', this.#path('leaf.crt'), '-extfile', this.#path('leaf.ext')];
      openssl(sign.concat(files));
      return opensslBytes(['x509', '-in', this.#path('leaf.crt')]);
    }).toString();
  }

  /** A file of the authority. Its folder is made when OpenSSL first needs it. */
  #path(name: string): string {
    this.#directory ??= this.#makeDirectory();
    return join(this.#directory, name);
  }

  #makeDirectory(): string {
    const directory = mkdtempSync(join(poolFolder, 'maskinporten-ca-'));
    writeFileSync(join(directory, 'ca.key'), this.#key.pem);
    writeFileSync(join(directory, 'index.txt'), '');
    writeFileSync(join(directory, 'serial'), randomBytes(8).toString('hex'));
    writeFileSync(join(directory, 'ca.cnf'), configuration(directory));
    return directory;
  }
}

/** Runs the OpenSSL command and gives its standard output. */
export function openssl(args: readonly string[], input?: string | Buffer): string {
  return opensslBytes(args, input).toString();
}

export function opensslBytes(args: readonly string[], input?: string | Buffer): Buffer {
  return execFileSync('openssl', args, { input: input ?? '', stdio: ['pipe', 'pipe', 'pipe'] });
}

function configuration(directory: string): string {
  return `
[ca]
default_ca = here
[here]
database = ${directory}/index.txt
serial = ${directory}/serial
new_certs_dir = ${directory}
certificate = ${directory}/ca.crt
private_key = ${directory}/ca.key
default_md = sha256
unique_subject = no
policy = anything
[anything]
commonName = optional
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical,CA:true
subjectKeyIdentifier = hash
`;
}
