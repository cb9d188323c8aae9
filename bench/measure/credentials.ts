import { spawnSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Credentials {
  readonly clientId: string;
  readonly kid: string;
  readonly privateKeyPem: string;
}

/** A key made for this run. */
export function newCredentials(bits: 2048 | 3072 = 2048): Credentials {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  return {
    clientId: 'f0a3c1de-0b5e-4c52-9d6b-6f1d3c1f1c11',
    kid: 'bench-key',
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** A self-signed certificate for the key, for clients that cannot do without; undefined where there is no OpenSSL. */
export function selfSignedCertificate(privateKeyPem: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const key = join(folder, 'key.pem');
    const certificate = join(folder, 'certificate.pem');
    const pem = createPrivateKey(privateKeyPem).export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(key, pem, { mode: 0o600 });
    const subject = '/CN=bench/serialNumber=310000027';
    const request = ['req', '-x509', '-new', '-key', key, '-out', certificate, '-subj', subject, '-days', '2'];
    const { status } = spawnSync('openssl', request);
    return status === 0 ? readFileSync(certificate, 'utf8') : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
