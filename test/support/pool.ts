import {
  type KeyObject,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
} from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Made by `pool-setup.mjs`; without it everything is made where it is asked for. */
const folder = process.env['TEST_POOL'];

/** Where specs put files of their own; it goes when the run ends. */
export const poolFolder = folder ?? tmpdir();

const asked = new Map<string, number>();

/**
 * Gives what was made when `recipe` was first asked for in this run of the tests, in any process. The second time that
 * one spec file asks for the same, it gets a second thing, and so on: within a file nothing is shared by accident.
 */
export function oncePerRun(recipe: readonly string[], make: () => Buffer): Buffer {
  if (folder === undefined) return make();
  const hash = createHash('sha256').update(JSON.stringify(recipe)).digest('hex');
  const time = asked.get(hash) ?? 0;
  asked.set(hash, time + 1);
  const file = join(folder, `${hash}-${time}`);
  if (!existsSync(file)) {
    const draft = `${file}.${randomUUID()}`;
    writeFileSync(draft, make(), { mode: 0o600 });
    try {
      // Two may make the same thing at once: the first link stays, and both take what it names.
      linkSync(draft, file);
    } catch (error) {
      if (!existsSync(file)) throw error;
    }
    rmSync(draft);
  }
  return readFileSync(file);
}

export interface RsaKeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** An RSA key of this run, which no other call in this spec file gets. A test about new keys makes its own. */
export function rsaKeyPair(modulusLength = 2048): RsaKeyPair {
  const key = oncePerRun(['rsa', String(modulusLength)], () =>
    generateKeyPairSync('rsa', { modulusLength }).privateKey.export({ type: 'pkcs8', format: 'der' }),
  );
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

interface SimulatorKeys {
  readonly maskinporten: readonly KeyObject[];
  readonly altinn: readonly KeyObject[];
}

let simulatorKeys: SimulatorKeys | undefined;

/** Option `signingKeys` of `startSimulator()`, with one key for a rotation. All simulators of a spec file share them. */
export function signingKeys(): SimulatorKeys {
  simulatorKeys ??= {
    maskinporten: [rsaKeyPair(3072).privateKey, rsaKeyPair(3072).privateKey],
    altinn: [rsaKeyPair().privateKey],
  };
  return simulatorKeys;
}
