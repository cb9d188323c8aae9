import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withoutByteOrderMark } from 'nestjs-maskinporten/environment';
import { EnvironmentError, isDemo, type Environment } from '../config/index.js';
import { IN_MEMORY } from './data-directory.js';

/**
 * The key that signs checkpoints of the audit log: from the file that the settings name. A demo makes one at its first
 * start, beside its database, and keeps it.
 *
 * @returns undefined when none is configured: then nobody notices that the end of the log was cut off
 * @throws EnvironmentError
 */
export async function checkpointKey(environment: Environment): Promise<string | undefined> {
  const { AUDIT_CHECKPOINT_KEY_FILE: configured, AUDIT_DATA_DIR: directory } = environment;
  const demo = isDemo(environment);
  if (configured === undefined && demo && directory === IN_MEMORY) return newKey();
  const file = configured ?? (demo ? join(directory, 'checkpoint-key.pem') : undefined);
  if (file === undefined) return undefined;
  const pem = (await read(file)) ?? (demo ? await make(file) : undefined);
  if (pem === undefined) throw wrong('names a file that cannot be read');
  if (!isEd25519(pem)) {
    throw wrong('must name an Ed25519 private key in PEM: openssl genpkey -algorithm ed25519 -out checkpoint-key.pem');
  }
  return pem;
}

const read = async (file: string): Promise<string | undefined> =>
  readFile(file, 'utf8').then(withoutByteOrderMark, () => undefined);

async function make(file: string): Promise<string> {
  const pem = newKey();
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, pem, { flag: 'wx', mode: 0o600 });
  } catch {
    throw wrong('names a file that can be neither read nor made');
  }
  return pem;
}

const newKey = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

function isEd25519(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'ed25519';
  } catch {
    // Its message may quote what it read (T-10).
    return false;
  }
}

const wrong = (reason: string): EnvironmentError =>
  new EnvironmentError([{ variable: 'AUDIT_CHECKPOINT_KEY_FILE', reason }]);
