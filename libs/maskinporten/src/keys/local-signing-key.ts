import { webcrypto, type KeyObject } from 'node:crypto';
import { createError } from '../errors/index.js';
import type { KeyFacts } from './key-facts.js';
import { KeyFailure, type SecretBytes, DIGEST_OF, type SigningAlgorithm } from '../key-files/index.js';
import type { SigningKey } from './signing-key.js';

const ALGORITHM = 'RSASSA-PKCS1-v1_5';

/** A key in this process: a non-extractable WebCrypto key, imported once, signing off the event loop. */
class LocalSigningKey implements SigningKey {
  readonly alg: SigningAlgorithm;
  declare readonly kid?: string;
  declare readonly x5c?: readonly string[];
  declare readonly identity: string;
  declare readonly thumbprint?: string;
  declare readonly publicKey?: KeyObject;
  declare readonly registeredAt?: Date;
  declare readonly activeFrom?: Date;
  declare readonly certificateNotBefore?: Date;
  declare readonly certificateNotAfter?: Date;
  declare readonly certificateOrganisation?: string;
  declare readonly certificateEnvironment?: 'test' | 'prod';
  readonly #key: webcrypto.CryptoKey;

  constructor(key: webcrypto.CryptoKey, alg: SigningAlgorithm, facts: KeyFacts) {
    this.#key = key;
    this.alg = alg;
    Object.assign(this, facts);
  }

  async sign(data: Uint8Array, options: { readonly signal?: AbortSignal } = {}): Promise<Uint8Array> {
    if (options.signal?.aborted === true) {
      throw createError('MP_ABORTED', { message: 'The caller stopped waiting before the grant was signed.' });
    }
    return new Uint8Array(await webcrypto.subtle.sign(ALGORITHM, this.#key, data));
  }
}

/**
 * Moves the private key into WebCrypto and proves that it signs what its public half verifies: a JWK whose members do
 * not belong together is accepted by OpenSSL and found out only here.
 *
 * @throws KeyFailure
 */
export async function localSigningKey(
  privateKey: KeyObject,
  alg: SigningAlgorithm,
  facts: KeyFacts,
  options: { readonly member: string; readonly secrets: SecretBytes },
): Promise<SigningKey> {
  const der = options.secrets.own(privateKey.export({ type: 'pkcs8', format: 'der' }));
  const parameters = { name: ALGORITHM, hash: DIGEST_OF[alg] };
  const cryptoKey = await webcrypto.subtle.importKey('pkcs8', der, parameters, false, ['sign']);
  const key = new LocalSigningKey(cryptoKey, alg, facts);
  if (!(await signsWhatItVerifies(key, parameters))) {
    throw new KeyFailure(options.member, 'is damaged: its public and private parts do not belong together');
  }
  return key;
}

async function signsWhatItVerifies(key: SigningKey, parameters: { name: string; hash: string }): Promise<boolean> {
  if (key.publicKey === undefined) return false;
  const spki = key.publicKey.export({ type: 'spki', format: 'der' });
  const verifier = await webcrypto.subtle.importKey('spki', spki, parameters, false, ['verify']);
  const probe = new TextEncoder().encode('nestjs-maskinporten self-test');
  try {
    return await webcrypto.subtle.verify(ALGORITHM, verifier, await key.sign(probe), probe);
  } catch {
    return false;
  }
}
